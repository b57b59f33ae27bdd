//! The table at work: nobody gets past it, and what is refused leaves no trace.

use commands::{Actor, ActorKind, CommandError, Grant, Request, Role};
use domain::ids::{ActorId, TeamId};
use domain::runbook::{Command, Runbook, definition};
use serde_json::{Value, json};

use crate::bed::{Bed, on_both};

on_both!(a_team_keeps_to_its_own, nobody_speaks_in_anothers_name, a_moved_runbook_needs_both_teams);

fn member(id: &str, role: Role, team: &str) -> Request {
    let grants = vec![Grant { role, team: Some(TeamId::new(team)) }];
    Request::new(Actor { kind: ActorKind::User, id: ActorId::new(id), grants })
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

async fn a_team_keeps_to_its_own(bed: &Bed) {
    let ana = || member("ana", Role::Responder, "payments");
    for foreign in [json!("search"), json!(null)] {
        let denied = bed.bus.create::<Runbook>(&ana(), "r", &create("ana", &foreign)).await;
        assert!(matches!(denied, Err(CommandError::Denied(_))), "{denied:?}");
    }
    assert_eq!(bed.events().await, 0);
    bed.bus.create::<Runbook>(&ana(), "r", &create("ana", &json!("payments"))).await.unwrap();
    let ben = member("ben", Role::TeamManager, "search");
    let denied = bed.bus.execute::<Runbook>(&ben, "r", &Command::Submit { by: ActorId::new("ben") }).await;
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
    let both = Request::new(Actor { kind: ActorKind::User, id: ActorId::new("cleo"), grants });
    let moved = bed.bus.execute::<Runbook>(&both, "r", &edit("cleo", &json!("search"))).await.unwrap();
    assert!(moved.changed);
}
