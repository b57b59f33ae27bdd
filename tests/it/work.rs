//! The queue under an operator's hands, over HTTP and on the command line.

use serde_json::{Value, json};
use testbed::eventually;

use crate::client::Client;
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    work_is_listed_shown_and_skipped,
    the_command_line_does_the_same_beside_the_server,
    what_is_wrong_is_said,
);

/// Far off, so that its timer stays where it is.
const FAR_OFF: &str = "2999-01-01T00:00:00Z";

/// Incidents that are snoozed, each with its timer.
async fn timers(client: &Client, count: usize) -> Vec<Value> {
    for n in 0..count {
        let path = client.new_incident(&format!("Down {n}")).await;
        client.post(&format!("{path}/snooze"), json!({ "until": FAR_OFF })).await.expect(200);
    }
    eventually("the timers are set", || async { items(client, "?limit=200").await.len() == count }).await;
    items(client, "?limit=200").await
}

async fn items(client: &Client, query: &str) -> Vec<Value> {
    client.get(&format!("/api/work{query}")).await.expect(200).json()["items"].as_array().unwrap().clone()
}

async fn work_is_listed_shown_and_skipped(serving: Serving) {
    let admin = serving.admin();
    let all = timers(&admin, 5).await;
    let row = &all[0];
    assert_eq!(
        (&row["kind"], &row["state"], &row["run_at"]),
        (&json!("wake_snoozed"), &json!("ready"), &json!(FAR_OFF))
    );
    assert_eq!((&row["payload"]["cause"]["reactor"], &row["attempt"]), (&json!("wake_snoozed"), &json!(0)));
    // Pages add up.
    let (mut paged, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = admin.get(&format!("/api/work{query}")).await.expect(200).json();
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(paged, all);
    let lane = row["lane"].as_str().unwrap();
    assert_eq!(items(&admin, &format!("?lane={lane}&kind=wake_snoozed&state=ready")).await, std::slice::from_ref(row));
    assert_eq!(items(&admin, "?kind=expire_approvals").await, Vec::<Value>::new());

    let path = format!("/api/work/{}", row["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).await.expect(200).json(), *row);
    let refused = admin.post(&format!("{path}/retry"), json!({})).await.problem(409, "work_state");
    assert!(refused["detail"].as_str().unwrap().contains("the work is ready"), "{refused}");
    let skipped = admin.post(&format!("{path}/skip"), json!({})).await.expect(200).json();
    assert_eq!(skipped["state"], "skipped");
    admin.post(&format!("{path}/skip"), json!({})).await.problem(409, "work_state");
    assert_eq!(items(&admin, "").await.len(), 4);
    assert_eq!(items(&admin, "?state=skipped").await, [skipped]);
}

async fn the_command_line_does_the_same_beside_the_server(serving: Serving) {
    let admin = serving.admin();
    let all = timers(&admin, 2).await;
    let id = all[0]["id"].as_str().unwrap();
    let run = |arguments: &[&str]| {
        let done = serving.run(&[&["work"], arguments].concat());
        (done.status.code(), String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    let (code, table, _) = run(&["list", "--state", "ready"]);
    assert!(code == Some(0) && table.lines().count() == 3 && table.contains(id), "{table}");
    let (_, listed, _) = run(&["list", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&listed).unwrap()["items"], json!(all));
    let (code, _, why) = run(&["retry", id]);
    assert!(code == Some(1) && why.contains("the work is ready"), "{why}");
    let (code, skipped, _) = run(&["skip", id]);
    assert!(code == Some(0) && skipped.contains("skipped"), "{skipped}");
    let (_, paused, _) = run(&["pause", "--reason", "a drill"]);
    assert!(paused.contains("everything: a drill"), "{paused}");
    let all = admin.get("/api/work").await.expect(200).json();
    assert_eq!((&all["pauses"][0]["kind"], &all["pauses"][0]["reason"]), (&json!(null), &json!("a drill")));
    assert_eq!(run(&["resume"]).1, "nothing is paused\n");
    for wrong in [&["list", "--state", "asleep"][..], &["skip", "x"], &["pause", "--kind", "a b"], &["stop"]] {
        assert_eq!(run(wrong).0, Some(2), "{wrong:?}");
    }
    let (code, _, why) = run(&["skip", "00000000-0000-0000-0000-000000000000"]);
    assert!(code == Some(1) && why.contains("there is no work"), "{why}");
}

async fn what_is_wrong_is_said(serving: Serving) {
    let admin = serving.admin();
    admin.get("/api/work?state=asleep&cursor=x&limit=0").await.faults(&[
        "/query/limit",
        "/query/cursor",
        "/query/state",
    ]);
    admin.get("/api/work?lane=%00&kind=*&as_of=1").await.faults(&["/query/kind", "/query/lane", "/query/as_of"]);
    admin
        .post("/api/work/pause", json!({ "kind": "*", "reason": "x".repeat(501) }))
        .await
        .faults(&["/kind", "/reason"]);
    admin.post("/api/work/resume", json!({ "kind": 7 })).await.faults(&["/kind"]);
    for path in ["/api/work/x", "/api/work/00000000-0000-0000-0000-000000000000"] {
        admin.get(path).await.problem(404, "not_found");
        admin.post(&format!("{path}/skip"), json!({})).await.problem(404, "not_found");
    }
}
