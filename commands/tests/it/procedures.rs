//! Procedures over several aggregates or facts: one append, and nothing half done.

use commands::incidents::{Merge, Unmerge};
use commands::runbooks::{DecideVersion, Decision};
use commands::{Actor, ActorKind, CommandError, Request, Role, tokens};
use domain::ids::{ActorId, IncidentId};
use domain::incident::{self, Incident, Severity};
use domain::runbook::{self, Runbook, definition};
use jiff::Timestamp;
use serde_json::json;

use crate::bed::{Bed, admin, on_both};

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
const LATER: Timestamp = Timestamp::constant(1_800_003_600, 0);

on_both!(
    a_merge_is_one_append_on_both_streams,
    two_merges_at_once_make_no_circle,
    approving_a_draft_submits_it,
    the_author_approves_only_when_alone,
);

async fn declare(bed: &Bed, id: &str) {
    let declare = incident::Declare::new(ActorId::new("a"), format!("Incident {id}"), Severity::Sev3);
    bed.bus.create::<Incident>(&admin("a"), id, &incident::Command::Declare(Box::new(declare))).await.unwrap();
}

fn merge(incident: &str, into: &str) -> Merge {
    Merge { by: ActorId::new("a"), incident: IncidentId::new(incident), into: IncidentId::new(into) }
}

async fn status(bed: &Bed, id: &str) -> incident::Status {
    bed.bus.look::<Incident>(id).await.unwrap().unwrap().0.status
}

async fn a_merge_is_one_append_on_both_streams(bed: &Bed) {
    declare(bed, "x").await;
    declare(bed, "y").await;
    let outcome = bed.bus.run(&admin("a"), &merge("x", "y")).await.unwrap();
    assert_eq!((outcome.version_of("incident", "x"), outcome.version_of("incident", "y")), (2, 2));
    assert_eq!(outcome.position, 4);
    let missing = bed.bus.run(&admin("a"), &merge("y", "nowhere")).await;
    assert!(matches!(missing, Err(CommandError::Refused(refusal)) if refusal.code() == "incident_missing"));
    let unmerge = Unmerge { by: ActorId::new("a"), incident: IncidentId::new("x") };
    bed.bus.run(&admin("a"), &unmerge).await.unwrap();
    assert_eq!(status(bed, "x").await, incident::Status::Open);
    assert!(bed.bus.look::<Incident>("y").await.unwrap().unwrap().0.absorbed.is_empty());
    let again = bed.bus.run(&admin("a"), &unmerge).await;
    assert!(matches!(again, Err(CommandError::Refused(refusal)) if refusal.code() == "not_merged"));
}

async fn two_merges_at_once_make_no_circle(bed: &Bed) {
    for round in 0..10 {
        let (x, y) = (format!("x{round}"), format!("y{round}"));
        declare(bed, &x).await;
        declare(bed, &y).await;
        let other = bed.another_node().await;
        let (there, back) = (merge(&x, &y), merge(&y, &x));
        let (mine, yours) = (admin("a"), admin("a"));
        let (first, second) = tokio::join!(bed.bus.run(&mine, &there), other.run(&yours, &back));
        assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1, "{first:?} {second:?}");
        let merged = [status(bed, &x).await, status(bed, &y).await];
        assert_eq!(merged.iter().filter(|status| **status == incident::Status::Merged).count(), 1);
    }
}

async fn write(bed: &Bed, by: &str) {
    let body = json!({
        "name": "Restart the pool", "description": "Restarts the connection pool.",
        "webhook_url": "https://automation.example/hooks/restart",
    });
    let definition = definition::parse(&body).unwrap().definition;
    let create = runbook::Command::Create { by: ActorId::new(by), definition, change_note: None };
    bed.bus.create::<Runbook>(&admin(by), "r", &create).await.unwrap();
}

fn approve(by: &str) -> (Request, DecideVersion) {
    let decision = Decision::Approve { content_hash: None, reason: None };
    (admin(by), DecideVersion { runbook_id: "r".to_owned(), by: ActorId::new(by), at: NOW, decision })
}

async fn approving_a_draft_submits_it(bed: &Bed) {
    write(bed, "ana").await;
    let (request, decide) = approve("ben");
    let outcome = bed.bus.run(&request, &decide).await.unwrap();
    assert_eq!(outcome.version_of("runbook", "r"), 3, "submitted and approved in one append");
    let (runbook, ..) = bed.bus.look::<Runbook>("r").await.unwrap().unwrap();
    let version = &runbook.versions[0];
    assert_eq!((runbook.status, version.number, version.self_approved), (runbook::Status::Approved, 1, false));
    let again = bed.bus.run(&request, &decide).await;
    assert!(matches!(again, Err(CommandError::Refused(refusal)) if refusal.code() == "no_draft"));
}

async fn the_author_approves_only_when_alone(bed: &Bed) {
    write(bed, "ana").await;
    let service = async |role| {
        let request = Request::new(Actor::system(ActorKind::System, "command-line"));
        let wanted = tokens::Wanted { expires_at: Some(LATER), ..tokens::Wanted::service("another one", role) };
        tokens::mint(&bed.bus, &request, wanted, NOW).await.unwrap();
    };
    service(Role::Auditor).await;
    let alone = |at| DecideVersion { at, ..approve("ana").1 };
    service(Role::PlatformAdmin).await;
    let refused = bed.bus.run(&admin("ana"), &alone(NOW)).await;
    assert!(matches!(refused, Err(CommandError::Refused(refusal)) if refusal.code() == "four_eyes"));
    // When the other admin's token has expired she is the only one: she may, and it is said.
    bed.bus.run(&admin("ana"), &alone(LATER)).await.unwrap();
    let (runbook, ..) = bed.bus.look::<Runbook>("r").await.unwrap().unwrap();
    assert!(runbook.versions[0].self_approved);
}
