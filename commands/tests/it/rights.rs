//! The table of rights, whole, as it is meant to be read.

use commands::authorize::{Action, Reach, allowed, reach};
use commands::{Actor, ActorKind, Grant, Role};
use domain::ids::{ActorId, TeamId};

#[test]
fn the_table_is_this_one() {
    use Reach::{Everywhere, Nowhere, OwnTeams, OwnTeamsAndGlobal};
    // read runbooks, read incidents, draft runbooks, decide on runbooks, handle incidents
    let table = [
        (Role::PlatformAdmin, [Everywhere, Everywhere, Everywhere, Everywhere, Everywhere]),
        (Role::TeamManager, [OwnTeamsAndGlobal, Everywhere, OwnTeams, Nowhere, Everywhere]),
        (Role::Responder, [OwnTeamsAndGlobal, Everywhere, OwnTeams, Nowhere, Everywhere]),
        (Role::Auditor, [Everywhere, Everywhere, Nowhere, Nowhere, Nowhere]),
        (Role::Viewer, [Nowhere; 5]),
        (Role::Partner, [Nowhere; 5]),
    ];
    assert_eq!(table.map(|(role, _)| role), Role::ALL);
    for (role, row) in table {
        assert_eq!(Action::ALL.map(|action| reach(role, action)), row, "{role}");
    }
}

fn in_team(role: Role, team: Option<&str>) -> Actor {
    let grants = vec![Grant { role, team: team.map(TeamId::new) }];
    Actor { kind: ActorKind::User, id: ActorId::new("u"), grants }
}

#[test]
fn a_role_in_a_team_reaches_that_team() {
    let (payments, search) = (TeamId::new("payments"), TeamId::new("search"));
    let manager = in_team(Role::TeamManager, Some("payments"));
    let draft = |team: Option<&TeamId>| allowed(&manager, Action::DraftRunbook, team);
    assert!(draft(Some(&payments)));
    assert!(!draft(Some(&search)));
    assert!(!draft(None), "what belongs to no team is not a team's");
    assert!(allowed(&manager, Action::ReadRunbooks, None), "but everybody in a team may read it");
    assert!(!allowed(&manager, Action::ReadRunbooks, Some(&search)));
    let everywhere = in_team(Role::TeamManager, None);
    assert!(allowed(&everywhere, Action::DraftRunbook, Some(&search)));
    assert!(allowed(&everywhere, Action::DraftRunbook, None));
}

#[test]
fn what_happens_by_itself_decides_on_no_version() {
    let reaction = Actor::system(ActorKind::Reaction, "timer");
    assert!(allowed(&reaction, Action::HandleIncident, None));
    assert!(!allowed(&reaction, Action::DecideRunbook, None));
}

#[test]
fn without_a_role_there_is_no_right() {
    let nobody = Actor { kind: ActorKind::User, id: ActorId::new("u"), grants: vec![] };
    assert!(Action::ALL.into_iter().all(|action| !allowed(&nobody, action, None)));
}
