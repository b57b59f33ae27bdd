//! A request under a key happens once, however often it is sent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{Client, Reply, runbook};
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    fifty_at_once_make_one,
    without_a_key_each_is_a_request_of_its_own,
    the_answer_is_the_same_also_later,
    another_request_under_the_key_is_refused,
    keys_belong_to_whoever_uses_them,
);

async fn keyed(client: &Client, key: &str, path: &str, body: &Value) -> Reply {
    client.ask("POST", path).header("idempotency-key", key).json(body).send().await
}

async fn at_once(client: &Client, key: Option<&str>, count: usize) -> Vec<Reply> {
    let mut tasks = Vec::new();
    for _ in 0..count {
        let ask = client.ask("POST", "/api/incidents").json(&json!({ "title": "Down" }));
        let ask = if let Some(key) = key { ask.header("idempotency-key", key) } else { ask };
        tasks.push(tokio::spawn(ask.send()));
    }
    let mut replies = Vec::new();
    for task in tasks {
        replies.push(task.await.unwrap().expect(201));
    }
    replies
}

async fn fifty_at_once_make_one(serving: Serving) {
    let before = serving.store().await.head().await.unwrap();
    let replies = at_once(&serving.admin(), Some("k1"), 50).await;
    let made: BTreeSet<(String, String, String)> =
        replies.iter().map(|reply| (reply.location(), reply.position(), reply.text.clone())).collect();
    assert_eq!(made.len(), 1, "one place, one position, one answer: {made:?}");
    assert_eq!(replies.iter().filter(|reply| reply.header("idempotent-replayed").is_empty()).count(), 1);
    assert_eq!(replies[0].number(), before + 1);
    let path = replies[0].location();
    assert_eq!(serving.admin().get(&format!("{path}/history")).await.json()["items"].as_array().unwrap().len(), 1);
}

/// The control of the test above.
async fn without_a_key_each_is_a_request_of_its_own(serving: Serving) {
    let replies = at_once(&serving.admin(), None, 10).await;
    let made: BTreeSet<String> = replies.iter().map(Reply::location).collect();
    assert_eq!(made.len(), 10);
}

async fn the_answer_is_the_same_also_later(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_incident("Down").await;
    let note = json!({ "text": "once" });
    let first = keyed(&admin, "n1", &format!("{path}/notes"), &note).await.expect(200);
    admin.post(&format!("{path}/resolve"), json!({})).await.expect(200);
    let again = keyed(&admin, "n1", &format!("{path}/notes"), &note).await.expect(200);
    assert_eq!((again.text.as_str(), again.etag(), again.position()), (&*first.text, first.etag(), first.position()));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(admin.get(&path).await.json()["notes"], 1);
}

async fn another_request_under_the_key_is_refused(serving: Serving) {
    let admin = serving.admin();
    let path = keyed(&admin, "k1", "/api/incidents", &json!({ "title": "Down" })).await.expect(201).location();
    keyed(&admin, "k1", "/api/incidents", &json!({ "title": "Up" })).await.problem(422, "key_reused");
    // The same body to another place is another request as well.
    keyed(&admin, "k1", "/api/runbooks", &runbook("x")).await.problem(422, "key_reused");
    keyed(&admin, "k1", &format!("{path}/resolve"), &json!({})).await.problem(422, "key_reused");
    for (key, _why) in [("a b", "blank"), (&*"k".repeat(256), "too long"), ("", "empty")] {
        keyed(&admin, key, "/api/incidents", &json!({ "title": "Down" })).await.faults(&["/header/idempotency-key"]);
    }
    // What was refused may be sent again, corrected, under its key.
    keyed(&admin, "k2", "/api/incidents", &json!({})).await.faults(&["/title"]);
    keyed(&admin, "k2", "/api/incidents", &json!({ "title": "Down" })).await.expect(201);
}

async fn keys_belong_to_whoever_uses_them(serving: Serving) {
    let (admin, other) = (serving.admin(), serving.somebody("responder"));
    let body = json!({ "title": "Down" });
    let first = keyed(&admin, "k1", "/api/incidents", &body).await.expect(201);
    let second = keyed(&other, "k1", "/api/incidents", &body).await.expect(201);
    assert_ne!(first.location(), second.location());
}
