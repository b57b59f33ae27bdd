//! Each timer from the event that sets it to the event that it leads to; and those that come too late.

use std::time::Duration;

use commands::runbooks::{Revise, Submit};
use domain::Aggregate;
use domain::approval::{self, Approval};
use domain::ids::ActorId;
use domain::incident::{Command, Incident, Status};
use domain::runbook::definition::parse;
use domain::runbook::{self, Phase, Runbook};
use jiff::Timestamp;
use reactions::{Registry, WakeSnoozed};
use serde_json::json;
use storage::work::{NewWork, WorkRow, WorkState};
use testbed::eventually;

use crate::bed::{Bed, ann, decoded, on_both};

on_both!(
    a_snooze_ends_by_itself,
    nothing_fires_before_its_time,
    an_acknowledgement_times_out,
    a_submission_expires,
    a_stale_timer_tells_nothing,
    a_timer_that_is_hurried_waits_for_its_time,
);

fn by() -> ActorId {
    ActorId::new("ann")
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Over long ago, so that its timer is due at once.
fn snooze() -> Command {
    Command::Snooze { by: by(), until: time("2020-01-02T00:00:00Z"), at: time("2020-01-01T00:00:00Z") }
}

fn soon(duration: Duration) -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "somebody must say what time it is")]
    Timestamp::now().checked_add(duration).unwrap()
}

async fn a_snooze_ends_by_itself(bed: &Bed) {
    let reactions = bed.reactions().await;
    bed.declare("i").await;
    bed.ask("i", &snooze()).await;
    eventually("it wakes", || async { bed.count("i", "incident.woken").await == 1 }).await;
    let events = bed.recorded(Incident::TYPE, "i").await;
    let (snoozed, woken) = (decoded(events[1].clone()), decoded(events[2].clone()));
    let actor = woken.actor().unwrap();
    assert_eq!((actor.kind.as_str(), actor.id.as_str()), ("reaction", "wake_snoozed"));
    assert_eq!(woken.metadata("causation_id"), Some(snoozed.recorded().event_id.to_string().as_str()));
    assert_eq!(woken.metadata("correlation_id"), snoozed.metadata("correlation_id"));
    let (incident, _, _) = bed.bus.look::<Incident>("i").await.unwrap().unwrap();
    assert_eq!((incident.status, incident.snoozed_until), (Status::Open, None));
    let work = bed.work().await;
    assert_eq!((work.len(), work[0].state, work[0].attempt), (1, WorkState::Done, 1));
    reactions.drain().await;
}

async fn nothing_fires_before_its_time(bed: &Bed) {
    let reactions = bed.reactions().await;
    bed.declare("i").await;
    let until = soon(Duration::from_millis(1_200));
    bed.ask("i", &Command::Snooze { by: by(), until, at: soon(Duration::ZERO) }).await;
    eventually("it wakes", || async { bed.count("i", "incident.woken").await == 1 }).await;
    let woken = decoded(bed.recorded(Incident::TYPE, "i").await.remove(2));
    let late = woken.at().duration_since(until);
    println!("woke {late:#} after its time");
    assert!(!late.is_negative(), "woken at {}, but snoozed until {until}", woken.at());
    assert_eq!(bed.work().await[0].attempt, 1, "it was not even tried before");
    reactions.drain().await;
}

async fn an_acknowledgement_times_out(bed: &Bed) {
    let reactions = bed.reactions().await;
    bed.declare("i").await;
    bed.ask("i", &Command::Acknowledge { by: by(), expires_at: Some(time("2020-01-01T00:00:00Z")) }).await;
    eventually("it times out", || async { bed.count("i", "incident.unacknowledged").await == 1 }).await;
    // The control: without an end it stays.
    bed.ask("i", &Command::Acknowledge { by: by(), expires_at: None }).await;
    bed.ask("i", &snooze()).await;
    eventually("a later timer has fired", || async { bed.count("i", "incident.woken").await == 1 }).await;
    assert_eq!(bed.count("i", "incident.unacknowledged").await, 1);
    reactions.drain().await;
}

fn submit(expires_at: &str) -> Submit {
    Submit { runbook_id: "r".to_owned(), by: by(), quorum: 1, expires_at: Some(time(expires_at)) }
}

async fn create_runbook(bed: &Bed) {
    let body = json!({ "name": "Restart", "description": "Restarts", "webhook_url": "https://example.com/restart" });
    let create = runbook::Command::Create { by: by(), definition: parse(&body).unwrap().definition, change_note: None };
    bed.bus.create::<Runbook>(&ann(), "r", &create).await.unwrap();
}

async fn a_submission_expires(bed: &Bed) {
    let reactions = bed.reactions().await;
    create_runbook(bed).await;
    bed.bus.run(&ann(), &submit("2020-01-01T00:00:00Z")).await.unwrap();
    let (submitted, ..) = bed.bus.look::<Runbook>("r").await.unwrap().unwrap();
    let approval_id = submitted.submission().unwrap().approval_id.clone();
    eventually("it expires", || async { bed.recorded(Runbook::TYPE, "r").await.len() == 3 }).await;
    assert_eq!(bed.recorded(Runbook::TYPE, "r").await[2].event_type, "runbook.submission_expired");
    let (runbook, _, _) = bed.bus.look::<Runbook>("r").await.unwrap().unwrap();
    assert_eq!(runbook.draft.as_ref().map(|draft| draft.phase), Some(Phase::Editing));
    // Both in one append, by the timer that the approval set.
    let (approval, _, position) = bed.bus.look::<Approval>(approval_id.as_str()).await.unwrap().unwrap();
    assert_eq!(approval.status, approval::Status::Expired);
    let expired = decoded(bed.recorded(Runbook::TYPE, "r").await.remove(2));
    assert_eq!((expired.position(), expired.actor().unwrap().id.as_str()), (position + 1, "expire_approvals"));
    reactions.drain().await;
}

async fn a_stale_timer_tells_nothing(bed: &Bed) {
    bed.register(bed.registry()).await;
    for id in ["stale", "control"] {
        bed.declare(id).await;
        bed.ask(id, &snooze()).await;
    }
    bed.ask("stale", &Command::Resolve { by: by(), resolution: None }).await;
    create_runbook(bed).await;
    bed.bus.run(&ann(), &submit("2020-01-01T00:00:00Z")).await.unwrap();
    let command = runbook::Command::WithdrawSubmission { by: by() };
    bed.bus.run(&ann(), &Revise { runbook_id: "r".to_owned(), command }).await.unwrap();
    let reactions = bed.reactions().await;
    eventually("all three are over", || async {
        let mut work = bed.work().await;
        work.retain(|row| row.kind != "follow_incidents");
        work.len() == 3 && work.iter().all(|row| row.state == WorkState::Done)
    })
    .await;
    assert_eq!(bed.happened("stale").await, ["incident.snoozed", "incident.resolved"]);
    assert_eq!(bed.happened("control").await, ["incident.snoozed", "incident.woken"]);
    assert_eq!(bed.recorded(Runbook::TYPE, "r").await.len(), 3);
    let outcomes = reactions.status().outcomes();
    assert_eq!((outcomes["wake_snoozed"].told, outcomes["wake_snoozed"].done), (1, 1));
    assert_eq!((outcomes["expire_approvals"].told, outcomes["expire_approvals"].done), (0, 1));
    reactions.drain().await;
}

/// As when the database's clock is set forth and back: the aggregate does not let itself be hurried.
async fn a_timer_that_is_hurried_waits_for_its_time(bed: &Bed) {
    bed.register(bed.registry()).await;
    bed.declare("i").await;
    let until = soon(Duration::from_secs(2));
    bed.ask("i", &Command::Snooze { by: by(), until, at: soon(Duration::ZERO) }).await;
    // In the place of its own timer, one that is due at once.
    let payload = json!({
        "cause": { "reactor": "wake_snoozed", "event_id": "e" },
        "payload": { "id": "i", "due": until, "memo": null },
    });
    let hurried = NewWork {
        id: commands::ids::fresh(),
        kind: "wake_snoozed".to_owned(),
        lane: "hurried".to_owned(),
        priority: 0,
        payload: payload.to_string(),
        run_at_us: None,
        created_position: 2,
        n: 0,
    };
    bed.store().add_work(&[hurried]).await.unwrap();
    let reactions = bed.start(Registry::default().timer::<WakeSnoozed>(&bed.bus)).await;
    eventually("it wakes", || async { bed.count("i", "incident.woken").await == 1 }).await;
    assert!(decoded(bed.recorded(Incident::TYPE, "i").await.remove(2)).at() >= until);
    let is_over = |row: &WorkRow| row.lane == "hurried" && row.attempt == 2 && row.state == WorkState::Done;
    eventually("it was tried once too early", || async { bed.work().await.iter().any(is_over) }).await;
    reactions.drain().await;
}
