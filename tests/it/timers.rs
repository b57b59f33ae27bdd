//! What happens by itself, seen from outside: it happens in time, survives a kill, and waits while it is paused.

use std::time::Duration;

use jiff::Timestamp;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use testbed::eventually;

use crate::client::Client;
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    a_snooze_ends_by_itself,
    a_killed_server_wakes_what_it_had_put_to_sleep,
    paused_timers_wait_and_fire_when_resumed,
    an_acknowledgement_is_given_for_a_time,
    a_submission_waits_for_two_weeks_or_as_long_as_said,
);

fn soon(duration: Duration) -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "somebody must say what time it is")]
    Timestamp::now().checked_add(duration).unwrap()
}

async fn snooze(client: &Client, path: &str, duration: Duration) -> Timestamp {
    let until = soon(duration);
    let snoozed = client.post(&format!("{path}/snooze"), json!({ "until": until })).await.expect(200).json();
    assert_eq!(snoozed["status"], "acknowledged");
    until
}

async fn status(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).json()["status"].clone()
}

/// Waits until the incident is open again, and checks when it was.
async fn wakes(client: &Client, path: &str, until: Timestamp) {
    eventually("it wakes", || async { status(client, path).await == "open" }).await;
    let history = client.get(&format!("{path}/history")).await.expect(200).json();
    let woken = history["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&woken["event_type"], &woken["actor"]["kind"]), (&json!("incident.woken"), &json!("reaction")));
    let at: Timestamp = woken["at"].as_str().unwrap().parse().unwrap();
    assert!(at >= until, "woken at {at}, before {until}");
    let count =
        |name: &str| history["items"].as_array().unwrap().iter().filter(|event| event["event_type"] == name).count();
    assert_eq!(count("incident.woken"), 1);
}

async fn a_snooze_ends_by_itself(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_incident("Down").await;
    let until = snooze(&admin, &path, Duration::from_secs(2)).await;
    wakes(&admin, &path, until).await;
}

async fn a_killed_server_wakes_what_it_had_put_to_sleep(serving: Serving) {
    let token = serving.first_token.clone();
    let path = serving.admin().new_incident("Down").await;
    let until = snooze(&serving.admin(), &path, Duration::from_secs(2)).await;
    // At once: whether the timer is set already or not, it must fire.
    let serving = serving.restarted(Signal::SIGKILL).await;
    let admin = Client::new(&serving.url, Some(&token));
    wakes(&admin, &path, until).await;
}

async fn paused_timers_wait_and_fire_when_resumed(serving: Serving) {
    let admin = serving.admin();
    let paused = admin.post("/api/work/pause", json!({ "kind": "wake_snoozed", "reason": "a test" })).await;
    assert_eq!(paused.expect(200).json()["pauses"][0]["kind"], "wake_snoozed");
    let path = admin.new_incident("Down").await;
    let until = snooze(&admin, &path, Duration::from_millis(200)).await;
    // Another timer, set and due later, has fired: so this one could have long since.
    let other = admin.new_incident("Slow").await;
    let expires_at = soon(Duration::from_secs(1));
    admin.post(&format!("{other}/acknowledge"), json!({ "expires_at": expires_at })).await.expect(200);
    eventually("the other one has fired", || async { status(&admin, &other).await == "open" }).await;
    assert_eq!(status(&admin, &path).await, "acknowledged");
    let resumed = serving.run(&["work", "resume", "--kind", "wake_snoozed"]);
    assert_eq!(resumed.status.code(), Some(0));
    wakes(&admin, &path, until).await;
}

async fn an_acknowledgement_is_given_for_a_time(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_incident("Down").await;
    let acknowledge = format!("{path}/acknowledge");
    admin.post(&acknowledge, json!({ "expires_at": "2020-01-01T00:00:00Z" })).await.faults(&["/expires_at"]);
    let expires_at = soon(Duration::from_secs(1));
    let taken = admin.post(&acknowledge, json!({ "expires_at": expires_at })).await.expect(200).json();
    assert_eq!(taken["acknowledgement"]["expires_at"], json!(expires_at));
    eventually("it times out", || async { status(&admin, &path).await == "open" }).await;
}

async fn a_submission_waits_for_two_weeks_or_as_long_as_said(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_runbook("Restart").await;
    let submitted = admin.post(&format!("{path}/submit"), json!({})).await.expect(200).json();
    let until: Timestamp = submitted["draft"]["submitted"]["expires_at"].as_str().unwrap().parse().unwrap();
    let hours = until.duration_since(soon(Duration::ZERO)).as_hours();
    assert!((14 * 24 - 1..=14 * 24).contains(&hours), "{until}");
    admin.post(&format!("{path}/withdraw"), json!({})).await.expect(200);
    let expires_at = soon(Duration::from_secs(1));
    admin.post(&format!("{path}/submit"), json!({ "expires_at": expires_at })).await.expect(200);
    let draft = || async { admin.get(&path).await.expect(200).json()["draft"].clone() };
    eventually("it expires", || async { draft().await["phase"] == "editing" }).await;
    let at: Timestamp = draft().await["expired_at"].as_str().unwrap().parse().unwrap();
    assert!(at >= expires_at);
    let after = admin.get("/api/approvals?status=expired").await.expect(200).json();
    assert_eq!(after["items"].as_array().map(Vec::len), Some(1));
    // Expiry never approves.
    assert_eq!(admin.get(&path).await.json()["status"], "DRAFT");
}
