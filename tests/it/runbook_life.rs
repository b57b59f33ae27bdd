//! The life of a runbook: written, approved by somebody else, edited while the approved version stays.

use serde_json::json;

use crate::client::runbook;
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    from_a_draft_to_two_versions_and_its_end,
    the_long_form_is_kept_as_it_was_written,
    validating_keeps_nothing,
    a_rejected_draft_goes_back_with_the_reason,
    a_discarded_draft_leaves_its_history,
    the_only_admin_may_approve_his_own_work_and_it_is_on_record,
);

async fn from_a_draft_to_two_versions_and_its_end(serving: Serving) {
    let (author, admin) = (serving.somebody("team_manager"), serving.admin());
    let created = author.post("/api/runbooks", runbook("Restart")).await.expect(201);
    let path = created.location();
    let document = created.json();
    assert_eq!(path, format!("/api/runbooks/{}", document["id"].as_str().unwrap()));
    assert_eq!((&document["status"], &document["draft"]["phase"]), (&json!("DRAFT"), &json!("editing")));
    assert_eq!(created.etag(), "\"1\"");

    let submitted = author.post(&format!("{path}/submit"), json!({})).await.expect(200).json();
    assert_eq!(submitted["draft"]["phase"], "pending");
    author.post(&format!("{path}/approve"), json!({})).await.problem(403, "denied");

    let approve = json!({ "content_hash": submitted["draft"]["content_hash"], "reason": "looks right" });
    let approved = admin.post(&format!("{path}/approve"), approve).await.expect(200).json();
    assert_eq!((&approved["status"], &approved["current"]), (&json!("APPROVED"), &json!(1)));
    assert_eq!((&approved["draft"], &approved["versions"][0]["self_approved"]), (&json!(null), &json!(false)));
    assert_eq!(approved["definition"]["name"], "Restart");

    // An edit makes a draft of version 2; what is approved stays what is executed.
    let reply = author.put(&path, runbook("Restart gently")).await.expect(200);
    let (edited, before_the_second) = (reply.json(), reply.number());
    assert_eq!((&edited["current"], &edited["name"]), (&json!(1), &json!("Restart")));
    assert_eq!((&edited["definition"], &edited["draft"]["of_version"]), (&approved["definition"], &json!(2)));
    let reply = admin.post(&format!("{path}/approve"), json!({})).await.expect(200);
    let twice = reply.json();
    assert_eq!((&twice["current"], &twice["name"]), (&json!(2), &json!("Restart gently")));

    let versions = admin.get(&format!("{path}/versions")).await.expect(200).json();
    assert_eq!(versions["items"].as_array().map(Vec::len), Some(2));
    let first = admin.get_after(&reply, &format!("{path}/versions/1")).await.expect(200).json();
    assert_eq!((&first["definition"], &first["number"]), (&approved["definition"], &json!(1)));
    let then = admin.get(&format!("{path}/versions/1?as_of={}", reply.number())).await.expect(200).json();
    assert_eq!(then, first, "from the log it is the same");
    admin.get(&format!("{path}/versions/2?as_of={before_the_second}")).await.problem(404, "not_found");
    let one = admin.get(&format!("{path}/versions?as_of={before_the_second}")).await.expect(200).json();
    assert_eq!(one["items"], json!([versions["items"][0]]));
    admin.get_after(&reply, &format!("{path}/versions/3")).await.problem(404, "not_found");

    let deprecated = admin.post(&format!("{path}/deprecate"), json!({ "reason": "replaced" })).await.expect(200).json();
    assert_eq!((&deprecated["status"], &deprecated["current"]), (&json!("DEPRECATED"), &json!(null)));
    assert_eq!(deprecated["deprecated"]["reason"], "replaced");
    let history = admin.get(&format!("{path}/history")).await.expect(200).json();
    let names: Vec<&str> =
        history["items"].as_array().unwrap().iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    let expected = [
        "runbook.created",
        "runbook.draft_submitted",
        "runbook.approved",
        "runbook.draft_edited",
        "runbook.draft_submitted",
        "runbook.approved",
        "runbook.deprecated",
    ];
    assert_eq!(names, expected);
}

async fn the_long_form_is_kept_as_it_was_written(serving: Serving) {
    let admin = serving.admin();
    let body = json!({
        "name": "Fail over", "description": "Moves the primary", "tags": ["database"], "environment": "production",
        "parameters": { "type": "object", "properties": { "host": { "type": "string" } }, "required": ["host"] },
        "variables": { "region": "eu" },
        "steps": [
            { "id": "look", "type": "http", "method": "GET", "url": "https://db.example.com/{{params.host}}" },
            { "id": "ask", "type": "manual_approval", "message": "Go?", "quorum": 1, "four_eyes": true },
            { "id": "pause", "type": "wait", "duration_seconds": 5 },
        ],
        "timeout_seconds": 60, "change_note": "first",
    });
    let path = admin.post("/api/runbooks", body).await.expect(201).location();
    let document = admin.get(&path).await.expect(200).json();
    let definition = &document["draft"]["definition"];
    let types: Vec<&str> =
        definition["steps"].as_array().unwrap().iter().map(|step| step["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["http", "manual_approval", "wait"]);
    assert_eq!(
        (&definition["environment"], &document["draft"]["change_note"]),
        (&json!("production"), &json!("first"))
    );
}

async fn validating_keeps_nothing(serving: Serving) {
    let admin = serving.admin();
    let before = admin.get("/readyz").await.json()["position"].clone();
    let good = admin.post("/api/runbooks/validate", runbook("Fine")).await.expect(200).json();
    assert_eq!((&good["valid"], &good["errors"]), (&json!(true), &json!([])));
    let bad = json!({ "name": "", "webhook_url": "ftp://x", "payload_template": {}, "extra": 1 });
    let bad = admin.post("/api/runbooks/validate", bad).await.expect(200).json();
    let pointers: Vec<&str> =
        bad["errors"].as_array().unwrap().iter().map(|fault| fault["pointer"].as_str().unwrap()).collect();
    for pointer in ["/name", "/description", "/webhook_url", "/extra"] {
        assert!(pointers.contains(&pointer), "{pointer} in {pointers:?}");
    }
    assert_eq!(bad["valid"], false);
    assert_eq!(admin.get("/readyz").await.json()["position"], before);
    // The same hash as when it is created.
    let path = admin.new_runbook("Fine").await;
    assert_eq!(admin.get(&path).await.json()["draft"]["content_hash"], good["content_hash"]);
}

async fn a_rejected_draft_goes_back_with_the_reason(serving: Serving) {
    let (author, approver) = (serving.somebody("responder"), serving.admin());
    let path = author.new_runbook("Restart").await;
    approver.post(&format!("{path}/reject"), json!({ "reason": "no" })).await.problem(409, "draft_not_pending");
    author.post(&format!("{path}/submit"), json!({})).await.expect(200);
    approver.post(&format!("{path}/reject"), json!({})).await.faults(&["/reason"]);
    approver
        .post(&format!("{path}/reject"), json!({ "reason": "x", "content_hash": "0" }))
        .await
        .problem(409, "content_changed");
    let rejected =
        approver.post(&format!("{path}/reject"), json!({ "reason": "not like this" })).await.expect(200).json();
    assert_eq!(rejected["draft"]["rejected"]["reason"], "not like this");
    assert_eq!(rejected["draft"]["phase"], "editing");
    author.post(&format!("{path}/submit"), json!({})).await.expect(200);
    let withdrawn = author.post(&format!("{path}/withdraw"), json!({})).await.expect(200).json();
    assert_eq!(withdrawn["draft"]["phase"], "editing");
}

async fn a_discarded_draft_leaves_its_history(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_runbook("Mistake").await;
    let gone = admin.ask("DELETE", &format!("{path}/draft")).send().await.expect(204);
    assert_eq!(gone.text, "");
    assert!(gone.number() > 0);
    admin.get(&path).await.problem(404, "not_found");
    admin.post(&format!("{path}/submit"), json!({})).await.problem(404, "runbook_discarded");
    let history = admin.get(&format!("{path}/history")).await.expect(200).json();
    assert_eq!(history["items"][1]["event_type"], "runbook.draft_discarded");
    assert_eq!(admin.get(&format!("{path}?as_of={}", gone.number() - 1)).await.expect(200).json()["name"], "Mistake");
}

async fn the_only_admin_may_approve_his_own_work_and_it_is_on_record(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_runbook("Alone").await;
    let approved = admin.post(&format!("{path}/approve"), json!({})).await.expect(200).json();
    assert_eq!(approved["versions"][0]["self_approved"], true);

    // With a second admin there, nobody approves his own.
    let second = serving.somebody("platform_admin");
    admin.put(&path, runbook("Alone again")).await.expect(200);
    admin.post(&format!("{path}/approve"), json!({})).await.problem(403, "four_eyes");
    admin.post(&format!("{path}/deprecate"), json!({})).await.problem(403, "four_eyes");
    let approved = second.post(&format!("{path}/approve"), json!({})).await.expect(200).json();
    assert_eq!((&approved["current"], &approved["versions"][1]["self_approved"]), (&json!(2), &json!(false)));
}
