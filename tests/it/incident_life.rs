//! The life of an incident, from its declaration to its end, and merging two of them.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    from_its_declaration_to_its_end_and_back,
    details_can_be_changed_one_by_one,
    people_come_and_go,
    two_incidents_become_one_and_two_again,
);

async fn from_its_declaration_to_its_end_and_back(serving: Serving) {
    let ann = serving.somebody("responder");
    let body = json!({ "title": " Checkout is down ", "severity": "critical", "labels": { "service": "shop" } });
    let declared = ann.post("/api/incidents", body).await.expect(201);
    let (path, document) = (declared.location(), declared.json());
    assert_eq!((&document["status"], &document["severity"]), (&json!("open"), &json!("sev1")));
    assert_eq!((&document["title"], &document["version"]), (&json!("Checkout is down"), &json!(1)));

    let post = |verb: &str, body: Value| {
        let (ann, path) = (ann.clone(), format!("{path}/{verb}"));
        async move { ann.post(&path, body).await }
    };
    let taken = post("acknowledge", json!({})).await.expect(200).json();
    assert_eq!(taken["status"], "acknowledged");
    assert_eq!(taken["acknowledgement"]["by"], json!([document["created_by"]]));
    // Once more changes nothing.
    assert_eq!(post("acknowledge", json!({})).await.expect(200).json(), taken);
    assert_eq!(post("unacknowledge", json!({})).await.expect(200).json()["status"], "open");
    assert_eq!(post("severity", json!({ "severity": "sev2" })).await.expect(200).json()["severity"], "sev2");
    assert_eq!(post("notes", json!({ "text": "Looking into it" })).await.expect(200).json()["notes"], 1);
    let snoozed = post("snooze", json!({ "until": "2999-01-01T00:00:00Z" })).await.expect(200).json();
    assert_eq!(snoozed["snoozed_until"], "2999-01-01T00:00:00Z");
    let resolved = post("resolve", json!({ "resolution": "restarted" })).await.expect(200).json();
    assert_eq!((&resolved["status"], &resolved["resolved"]["resolution"]), (&json!("resolved"), &json!("restarted")));
    assert_eq!(resolved["snoozed_until"], json!(null));

    post("acknowledge", json!({})).await.problem(409, "resolved");
    post("severity", json!({ "severity": "sev3" })).await.faults(&["/reason"]);
    post("severity", json!({ "severity": "sev3", "reason": "it was one shop" })).await.expect(200);
    let reopened = post("reopen", json!({})).await.expect(200).json();
    assert_eq!((&reopened["status"], &reopened["reopened_times"]), (&json!("open"), &json!(1)));
    post("reopen", json!({})).await.problem(409, "not_resolved");

    let last = post("notes", json!({ "text": "done" })).await.expect(200);
    let timeline = ann.get_after(&last, &format!("{path}/timeline")).await.expect(200).json();
    let texts: Vec<&str> =
        timeline["items"].as_array().unwrap().iter().map(|entry| entry["text"].as_str().unwrap()).collect();
    let expected = [
        "declared as sev1: Checkout is down",
        "acknowledged",
        "acknowledgement taken back",
        "severity changed from sev1 to sev2",
        "Looking into it",
        "snoozed until 2999-01-01T00:00:00Z",
        "resolved: restarted",
        "severity corrected from sev2 to sev3: it was one shop",
        "reopened",
        "done",
    ];
    assert_eq!(texts, expected);
    assert_eq!(timeline["items"][0]["actor"]["kind"], "api_token");
    pages_add_up(&ann, &format!("{path}/timeline"), &timeline["items"]).await;
}

/// Reading a list in pages of two gives the same as reading it whole.
async fn pages_add_up(client: &crate::client::Client, path: &str, whole: &Value) {
    let (mut items, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let page = client.get(&format!("{path}?{query}")).await.expect(200).json();
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=2&cursor={cursor}");
    }
    assert_eq!(&Value::Array(items), whole);
}

async fn details_can_be_changed_one_by_one(serving: Serving) {
    let admin = serving.admin();
    let body = json!({
        "title": "Slow", "summary": "s", "team_id": "t1", "service_ids": ["shop"], "custom_fields": { "ticket": 7 },
        "links": [{ "url": "https://example.com/board", "title": "Board" }],
        "source": { "kind": "api", "reference": "x1" },
    });
    let path = admin.post("/api/incidents", body).await.expect(201).location();
    let before = admin.get(&path).await.json();
    let changed = admin.patch(&path, json!({ "title": "Very slow", "team_id": null })).await.expect(200).json();
    assert_eq!((&changed["title"], &changed["team_id"]), (&json!("Very slow"), &json!(null)));
    for same in ["summary", "service_ids", "custom_fields", "links", "source", "severity"] {
        assert_eq!(changed[same], before[same], "{same}");
    }
    let unchanged = admin.patch(&path, json!({ "title": "Very slow" })).await.expect(200).json();
    assert_eq!(unchanged, changed);
    let faulty = json!({ "title": "", "links": [{ "url": "nowhere", "x": 1 }], "labels": 5, "status": "resolved" });
    admin.patch(&path, faulty).await.faults(&["/labels", "/links/0/x", "/status", "/title"]);
}

async fn people_come_and_go(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_incident("Down").await;
    let assigned = admin.post(&format!("{path}/assign"), json!({ "to": ["u2", "u1"] })).await.expect(200).json();
    assert_eq!(assigned["assignees"], json!(["u1", "u2"]));
    admin.post(&format!("{path}/assign"), json!({})).await.faults(&["/to"]);
    admin.post(&format!("{path}/assign"), json!({ "to": ["u1", "not an id"] })).await.faults(&["/to/1"]);
    let responders = format!("{path}/responders");
    admin.post(&responders, json!({ "user": "u1", "role": "commander" })).await.expect(200);
    let relieved = admin.post(&responders, json!({ "user": "u2", "role": "commander" })).await.expect(200).json();
    assert_eq!(relieved["responders"], json!([{ "user": "u2", "role": "commander" }]));
    admin.ask("DELETE", &responders).send().await.faults(&["/query/user"]);
    let none = admin.ask("DELETE", &format!("{responders}?user=u2&role=commander")).send().await.expect(200).json();
    assert_eq!(none["responders"], json!([]));
}

async fn two_incidents_become_one_and_two_again(serving: Serving) {
    let admin = serving.admin();
    let (gone, stays) = (admin.new_incident("A").await, admin.new_incident("B").await);
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    admin.post(&format!("{gone}/notes"), json!({ "text": "from A" })).await.expect(200);
    admin.post(&format!("{gone}/merge"), json!({ "into": id(&gone) })).await.faults(&["/into"]);
    admin.post(&format!("{gone}/merge"), json!({ "into": "nobody" })).await.problem(404, "incident_missing");
    let reply = admin.post(&format!("{gone}/merge"), json!({ "into": id(&stays) })).await.expect(200);
    let merged = reply.json();
    assert_eq!((&merged["status"], &merged["merged_into"]), (&json!("merged"), &json!(id(&stays))));
    assert_eq!(admin.get(&stays).await.json()["absorbed"], json!([id(&gone)]));
    admin.post(&format!("{gone}/notes"), json!({ "text": "x" })).await.problem(409, "merged");
    admin.post(&format!("{stays}/merge"), json!({ "into": id(&gone) })).await.problem(409, "target_merged");

    // What happened on A is part of B's story, with its origin, as long as it is merged.
    let told = |timeline: Value| -> Vec<(String, String)> {
        let entry = |e: &Value| (e["incident_id"].as_str().unwrap().to_owned(), e["text"].as_str().unwrap().to_owned());
        timeline["items"].as_array().unwrap().iter().map(entry).collect()
    };
    let timeline = told(admin.get_after(&reply, &format!("{stays}/timeline")).await.expect(200).json());
    assert!(timeline.contains(&(id(&gone), "from A".to_owned())), "{timeline:?}");
    let reply = admin.post(&format!("{gone}/unmerge"), json!({})).await.expect(200);
    let apart = reply.json();
    assert_eq!((&apart["status"], &apart["merged_into"]), (&json!("open"), &json!(null)));
    assert_eq!(admin.get(&stays).await.json()["absorbed"], json!([]));
    let timeline = told(admin.get_after(&reply, &format!("{stays}/timeline")).await.expect(200).json());
    assert!(timeline.iter().all(|(origin, _)| *origin == id(&stays)), "{timeline:?}");
    admin.post(&format!("{gone}/unmerge"), json!({})).await.problem(409, "not_merged");
}
