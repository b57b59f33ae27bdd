//! Partner grants from the house's side: given, changed, stopped and ended, and what each of them lets be seen.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use testbed::eventually;

use crate::client::Client;
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    a_grant_is_given_changed_and_taken,
    a_grant_names_what_is_there,
    a_grant_begins_and_ends_by_itself,
    grants_are_found_by_what_they_are,
    what_a_partner_saw_is_a_question_to_the_log,
    pages_may_change_under_a_grant,
    every_fault_is_named,
);

fn soon(duration: Duration) -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "somebody must say what time it is")]
    Timestamp::now().checked_add(duration).unwrap()
}

fn id(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

/// From now on, for a year.
fn body(scope: &Value) -> Value {
    json!({
        "organisation": "Cobbler & Sons",
        "people": ["s1"],
        "scope": scope,
        "until": soon(Duration::from_hours(24 * 365)),
        "reason": "they sell with us",
    })
}

async fn granted(admin: &Client, scope: &Value) -> String {
    admin.post("/api/partner-grants", body(scope)).await.expect(201).location()
}

async fn a_grant_is_given_changed_and_taken(serving: Serving) {
    let admin = serving.admin();
    let page = id(&admin.new_status_page().await);
    let given = admin.post("/api/partner-grants", body(&json!({ (page.as_str()): "all" }))).await.expect(201);
    let (path, document) = (given.location(), given.json());
    assert_eq!((&document["status"], &document["version"]), (&json!("active"), &json!(2)));
    assert_eq!((&document["scope"], &document["people"]), (&json!({ (page.as_str()): "all" }), &json!(["s1"])));
    let post = |verb: &str, body: Value| {
        let (admin, path) = (admin.clone(), format!("{path}/{verb}"));
        async move { admin.post(&path, body).await }
    };
    let why = || json!({ "reason": "an audit" });
    let stopped = post("suspend", why()).await.expect(200).json();
    assert_eq!((&stopped["status"], &stopped["suspended"]["reason"]), (&json!("suspended"), &json!("an audit")));
    assert_eq!(post("suspend", why()).await.expect(200).json(), stopped);
    assert_eq!(post("resume", why()).await.expect(200).json()["status"], "active");
    let later = soon(Duration::from_hours(1_000));
    let renewed = json!({ "from": later, "until": soon(Duration::from_hours(2_000)), "reason": "once more" });
    let renewed = post("renew", renewed).await.expect(200).json();
    assert_eq!((&renewed["status"], &renewed["renewed_times"]), (&json!("pending"), &json!(1)));
    let edited = admin.patch(&path, json!({ "organisation": "Cobbler", "people": [] })).await.expect(200).json();
    assert_eq!((&edited["organisation"], &edited["people"]), (&json!("Cobbler"), &json!([])));
    let before = admin.get(&path).await;
    let revoked = post("revoke", why()).await.expect(200);
    assert_eq!(revoked.json()["revoked"]["reason"], "an audit");
    for verb in ["suspend", "resume"] {
        post(verb, why()).await.problem(409, "grant_revoked");
    }
    let stale = admin.ask("PATCH", &path).header("if-match", &before.etag()).json(&json!({})).send().await;
    stale.problem(412, "moved");
    let then = admin.get(&format!("{path}?as_of={}", given.number())).await.expect(200);
    assert_eq!(then.text, given.text);
    let history = admin.get(&format!("{path}/history")).await.expect(200).json();
    assert_eq!(
        history["items"].as_array().unwrap().len(),
        usize::try_from(revoked.json()["version"].as_u64().unwrap()).unwrap()
    );
    admin.post("/api/partner-grants/nothing/revoke", why()).await.problem(404, "partner_grant_missing");
}

async fn a_grant_names_what_is_there(serving: Serving) {
    let admin = serving.admin();
    let page = admin.new_status_page().await;
    let (page_id, other) = (id(&page), admin.new_status_page().await);
    let part = admin.new_component(&page, json!({ "name": "Cards" })).await;
    let gone = admin.new_component(&page, json!({ "name": "Gone" })).await;
    admin.ask("DELETE", &format!("{page}/components/{gone}")).send().await.expect(200);
    admin.post(&format!("{other}/archive"), json!({})).await.expect(200);
    let other = id(&other);
    let mut parts = [part.clone(), gone.clone()];
    parts.sort();
    let at = parts.iter().position(|part| *part == gone).unwrap();
    let wrong = json!({ (page_id.as_str()): { "components": parts }, (other.as_str()): "all", "unknown": "all" });
    let mut expected =
        [format!("/scope/{page_id}/components/{at}"), format!("/scope/{other}"), "/scope/unknown".to_owned()];
    expected.sort();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    admin.post("/api/partner-grants", body(&wrong)).await.faults(&expected);
    let path = granted(&admin, &json!({ (page_id.as_str()): { "components": [part] } })).await;
    let change = |scope: Value| {
        let (admin, path) = (admin.clone(), format!("{path}/scope"));
        async move { admin.put(&path, json!({ "scope": scope, "reason": "less" })).await }
    };
    change(json!({ "unknown": "all" })).await.faults(&["/scope/unknown"]);
    let changed = change(json!({ (page_id.as_str()): "all" })).await.expect(200).json();
    assert_eq!(changed["scope"], json!({ (page_id.as_str()): "all" }));
}

async fn a_grant_begins_and_ends_by_itself(serving: Serving) {
    let admin = serving.admin();
    let page = id(&admin.new_status_page().await);
    let mut body = body(&json!({ (page.as_str()): "all" }));
    body["from"] = json!(soon(Duration::from_millis(1_500)));
    body["until"] = json!(soon(Duration::from_secs(4)));
    let given = admin.post("/api/partner-grants", body).await.expect(201);
    assert_eq!(given.json()["status"], "pending");
    for status in ["active", "expired"] {
        eventually(&format!("it is {status}"), || async {
            admin.get(&given.location()).await.expect(200).json()["status"] == status
        })
        .await;
    }
    let resume = admin.post(&format!("{}/resume", given.location()), json!({ "reason": "x" })).await;
    resume.problem(409, "grant_over");
}

async fn grants_are_found_by_what_they_are(serving: Serving) {
    let admin = serving.admin();
    let (one, two) = (id(&admin.new_status_page().await), id(&admin.new_status_page().await));
    let mut first = body(&json!({ (one.as_str()): "all" }));
    first["organisation"] = json!("Zürich Shoes");
    admin.post("/api/partner-grants", first).await.expect(201);
    let second = granted(&admin, &json!({ (two.as_str()): "all" })).await;
    let last = admin.post(&format!("{second}/suspend"), json!({ "reason": "x" })).await.expect(200);
    let next_year = soon(Duration::from_hours(24 * 364));
    for (query, expected) in [
        (String::new(), &["Cobbler & Sons", "Zürich Shoes"][..]),
        ("?status=active".to_owned(), &["Zürich Shoes"]),
        ("?status=suspended,revoked".to_owned(), &["Cobbler & Sons"]),
        (format!("?page_id={one}"), &["Zürich Shoes"]),
        ("?person=s1&sort=-organisation".to_owned(), &["Zürich Shoes", "Cobbler & Sons"]),
        ("?q=zurich".to_owned(), &["Zürich Shoes"]),
        (format!("?ends_before={next_year}"), &[]),
        (format!("?ends_after={next_year}&sort=created_at"), &["Zürich Shoes", "Cobbler & Sons"]),
    ] {
        let reply = admin.get_after(&last, &format!("/api/partner-grants{query}")).await.expect(200).json();
        let items = reply["items"].as_array().unwrap().clone();
        let found: Vec<&str> = items.iter().map(|item| item["organisation"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
    }
    admin.get("/api/partner-grants?status=lost&ends_after=x&team_id=t").await.faults(&[
        "/query/status",
        "/query/ends_after",
        "/query/team_id",
    ]);
}

async fn what_a_partner_saw_is_a_question_to_the_log(serving: Serving) {
    let admin = serving.admin();
    let page = admin.new_status_page().await;
    let mine = admin.new_component(&page, json!({ "name": "Mine" })).await;
    let other = admin.new_component(&page, json!({ "name": "Not mine" })).await;
    let path = granted(&admin, &json!({ (id(&page)): { "components": [mine] } })).await;
    let status = format!("{page}/components/{mine}/status");
    let out = admin.post(&status, json!({ "status": "partial_outage" })).await.expect(200);
    admin.post(&format!("{page}/components/{other}/status"), json!({ "status": "major_outage" })).await.expect(200);
    admin.ask("DELETE", &status).send().await.expect(200);
    let suspended = admin.post(&format!("{path}/suspend"), json!({ "reason": "x" })).await.expect(200);
    let seen = |query: String| {
        let (admin, path) = (admin.clone(), format!("{path}/pages{query}"));
        async move { admin.get(&path).await.expect(200).json() }
    };
    let then = seen(format!("?as_of={}", out.number())).await;
    assert_eq!(then["open"], true);
    let shown = &then["pages"][0];
    assert_eq!(shown["components"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&shown["components"][0]["status"], &shown["status"]["indicator"]),
        (&json!("partial_outage"), &json!("major"))
    );
    let before = seen(format!("?as_of={}", suspended.number() - 1)).await;
    assert_eq!(before["pages"][0]["status"]["indicator"], "none");
    assert!(!before.to_string().contains("Not mine"));
    let now = seen(String::new()).await;
    assert_eq!((&now["open"], &now["shut"], &now["pages"]), (&json!(false), &json!("suspended"), &json!([])));
}

/// A grant stays sound whatever happens to its pages: nothing opens that nobody has granted.
async fn pages_may_change_under_a_grant(serving: Serving) {
    let admin = serving.admin();
    let page = admin.new_status_page().await;
    let mine = admin.new_component(&page, json!({ "name": "Mine" })).await;
    let path = granted(&admin, &json!({ (id(&page)): { "components": [mine] } })).await;
    let names = || async {
        let seen = admin.get(&format!("{path}/pages")).await.expect(200).json();
        let parts = |page: &Value| page["components"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
        seen["pages"].as_array().unwrap().iter().map(parts).collect::<Vec<Vec<Value>>>()
    };
    assert_eq!(names().await, [["Mine"]]);
    admin.ask("DELETE", &format!("{page}/components/{mine}")).send().await.expect(200);
    admin.new_component(&page, json!({ "name": "Mine" })).await;
    assert_eq!(names().await, [Vec::<Value>::new()]);
    admin.post(&format!("{page}/archive"), json!({})).await.expect(200);
    assert_eq!(names().await, Vec::<Vec<Value>>::new());
    admin.post(&format!("{path}/suspend"), json!({ "reason": "nothing is left" })).await.expect(200);
}

async fn every_fault_is_named(serving: Serving) {
    let admin = serving.admin();
    let wrong = json!({
        "organisation": "", "people": ["ann@example.com"], "scope": {}, "until": "2020-01-01T00:00:00Z",
        "reason": " ", "price": 1,
    });
    let expected = ["/people/0", "/price", "/organisation", "/scope", "/until", "/until", "/reason"];
    admin.post("/api/partner-grants", wrong).await.faults(&expected);
    admin.post("/api/partner-grants", json!({})).await.faults(&["/organisation", "/scope", "/until", "/reason"]);
    admin.post("/api/partner-grants", body(&json!({ "p": "some" }))).await.faults(&["/scope"]);
    let path = admin.new_grant(&admin.new_status_page().await).await;
    admin.post(&format!("{path}/suspend"), json!({})).await.faults(&["/reason"]);
    admin
        .put(&format!("{path}/scope"), json!({ "scope": { "p": { "components": [] } } }))
        .await
        .faults(&["/reason", "/scope/p/components"]);
}
