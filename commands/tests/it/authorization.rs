//! The table at work: nobody gets past it, and what is refused leaves no trace.

use commands::{Actor, CommandError, Grant, Request, Role};
use domain::ids::{ActorId, ApprovalId, TeamId};
use domain::runbook::{Command, Consent, Runbook, definition};
use serde_json::{Value, json};

use crate::bed::{Bed, on_both};

on_both!(
    a_team_keeps_to_its_own,
    nobody_speaks_in_anothers_name,
    a_moved_runbook_needs_both_teams,
    a_draft_alone_is_its_teams_too,
    without_the_right_no_version_is_told,
);

fn member(id: &str, role: Role, team: &str) -> Request {
    let grants = vec![Grant { role, team: Some(TeamId::new(team)) }];
    Request::new(Actor::user(id, grants))
}

fn body(team: &Value) -> definition::Submission {
    let body = json!({
        "name": "Restart the pool", "description": "Restarts the connection pool.", "team_id": team,
        "webhook_url": "https://automation.example/hooks/restart",
    });
    definition::parse(&body).unwrap()
}

fn create(by: &str, team: &Value) -> Command {
    Command::Create { by: ActorId::new(by), definition: body(team).definition, change_note: None }
}

fn edit(by: &str, team: &Value) -> Command {
    Command::Edit { by: ActorId::new(by), definition: body(team).definition, change_note: None }
}

fn submit(by: &str) -> Command {
    Command::Submit { by: ActorId::new(by), approval_id: ApprovalId::new("a"), quorum: 1, expires_at: None }
}

async fn a_team_keeps_to_its_own(bed: &Bed) {
    let ana = || member("ana", Role::Responder, "payments");
    for foreign in [json!("search"), json!(null)] {
        let denied = bed.bus.create::<Runbook>(&ana(), "r", &create("ana", &foreign)).await;
        assert!(matches!(denied, Err(CommandError::Denied(_))), "{denied:?}");
    }
    assert_eq!(bed.events().await, 0);
    bed.bus.create::<Runbook>(&ana(), "r", &create("ana", &json!("payments"))).await.unwrap();
    let ben = member("ben", Role::TeamManager, "search");
    let denied = bed.bus.execute::<Runbook>(&ben, "r", &submit("ben")).await;
    assert!(matches!(denied, Err(CommandError::Denied(_))), "{denied:?}");
    assert_eq!(bed.events().await, 1);
}

async fn nobody_speaks_in_anothers_name(bed: &Bed) {
    let ana = member("ana", Role::Responder, "payments");
    let forged = bed.bus.create::<Runbook>(&ana, "r", &create("ben", &json!("payments"))).await;
    assert!(matches!(forged, Err(CommandError::Impersonation { .. })), "{forged:?}");
    assert_eq!(bed.events().await, 0);
}

async fn a_moved_runbook_needs_both_teams(bed: &Bed) {
    let ana = || member("ana", Role::TeamManager, "payments");
    bed.bus.create::<Runbook>(&ana(), "r", &create("ana", &json!("payments"))).await.unwrap();
    let denied = bed.bus.execute::<Runbook>(&ana(), "r", &edit("ana", &json!("search"))).await;
    assert!(matches!(denied, Err(CommandError::Denied(_))), "{denied:?}");
    let team = |team: &str| Grant { role: Role::TeamManager, team: Some(TeamId::new(team)) };
    let grants = vec![team("payments"), team("search")];
    let both = Request::new(Actor::user("cleo", grants));
    let moved = bed.bus.execute::<Runbook>(&both, "r", &edit("cleo", &json!("search"))).await.unwrap();
    assert!(moved.changed);
}

async fn a_draft_alone_is_its_teams_too(bed: &Bed) {
    let ana = member("ana", Role::Responder, "payments");
    bed.bus.create::<Runbook>(&ana, "r", &create("ana", &json!("payments"))).await.unwrap();
    for (id, role) in [("ben", Role::Responder), ("ben", Role::Viewer), ("ben", Role::Auditor)] {
        let by = ActorId::new(id);
        let stranger = member(id, role, "search");
        let submitted = bed.bus.execute::<Runbook>(&stranger, "r", &submit(id)).await;
        assert!(matches!(submitted, Err(CommandError::Denied(_))), "{role}: {submitted:?}");
        let consent = Consent { by, standing_in_for: None, reason: None };
        let approve = Command::Approve { approval_id: ApprovalId::new("a"), consent };
        let approved = bed.bus.execute::<Runbook>(&stranger, "r", &approve).await;
        assert!(matches!(approved, Err(CommandError::Denied(_))), "{role}: {approved:?}");
    }
    assert_eq!(bed.events().await, 1);
}

async fn without_the_right_no_version_is_told(bed: &Bed) {
    let ana = member("ana", Role::Responder, "payments");
    bed.bus.create::<Runbook>(&ana, "r", &create("ana", &json!("payments"))).await.unwrap();
    let ben = member("ben", Role::Responder, "search").if_match(Some(9));
    let denied = bed.bus.execute::<Runbook>(&ben, "r", &submit("ben")).await;
    assert!(matches!(denied, Err(CommandError::Denied(_))), "{denied:?}");
    // The control: who has the right is told that it has moved.
    let request = member("ana", Role::Responder, "payments").if_match(Some(9));
    let moved = bed.bus.execute::<Runbook>(&request, "r", &submit("ana")).await;
    assert!(matches!(moved, Err(CommandError::Moved { expected: 9, actual: 1 })), "{moved:?}");
}
