//! The table of rights, whole, as it is meant to be read.

use commands::authorize::{Action, Reach, Scope, allowed, reach, scope};
use commands::{Actor, ActorKind, Grant, Role};
use domain::ids::{ActorId, TeamId};

#[test]
fn the_table_is_this_one() {
    use Reach::{Everywhere, Nowhere, OwnTeams, OwnTeamsAndGlobal};
    // read runbooks, read incidents, draft runbooks, decide on runbooks, handle incidents, fire timers, read work,
    // operate work, read views, operate views; read, manage, publish status pages, follow incidents, read, manage partner
    // grants, record accesses
    let member =
        [OwnTeamsAndGlobal, Everywhere, OwnTeams, Nowhere, Everywhere, Nowhere, Nowhere, Nowhere, Nowhere, Nowhere];
    let auditor =
        [Everywhere, Everywhere, Nowhere, Nowhere, Nowhere, Nowhere, Everywhere, Nowhere, Everywhere, Nowhere];
    let mut admin = [Everywhere; 17];
    for believed in [5, 13, 16] {
        admin[believed] = Nowhere;
    }
    let outsiders = |own: [Reach; 10], pages: [Reach; 7]| -> [Reach; 17] {
        std::array::from_fn(|n| if n < 10 { own[n] } else { pages[n - 10] })
    };
    let manager = outsiders(member, [OwnTeams, Nowhere, OwnTeams, Nowhere, Nowhere, Nowhere, Nowhere]);
    let member = outsiders(member, [Nowhere; 7]);
    let auditor = outsiders(auditor, [Everywhere, Nowhere, Nowhere, Nowhere, Everywhere, Nowhere, Nowhere]);
    let table = [
        (Role::PlatformAdmin, admin),
        (Role::TeamManager, manager),
        (Role::Responder, member),
        (Role::Auditor, auditor),
        (Role::Viewer, [Nowhere; 17]),
        (Role::Partner, [Nowhere; 17]),
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
fn what_happens_by_itself_fires_timers_and_neither_decides_nor_operates() {
    let reaction = Actor::system(ActorKind::Reaction, "timer");
    assert!(allowed(&reaction, Action::HandleIncident, None));
    assert!(allowed(&reaction, Action::FireTimer, None));
    let persons = [
        Action::DecideRunbook,
        Action::OperateWork,
        Action::OperateViews,
        Action::ManageStatusPages,
        Action::PublishStatus,
        Action::ManagePartnerGrants,
    ];
    for action in persons {
        assert!(!allowed(&reaction, action, None), "{action:?}");
    }
}

#[test]
fn without_a_role_there_is_no_right() {
    let nobody = Actor { kind: ActorKind::User, id: ActorId::new("u"), grants: vec![] };
    assert!(Action::ALL.into_iter().all(|action| !allowed(&nobody, action, None)));
}

/// Every role, in no team, in one, in two, and with another one beside it: a list reaches what a detail does.
#[test]
fn the_scope_of_a_list_is_that_of_its_details() {
    let (mut grants, teams) = (vec![vec![]], [None, Some("payments"), Some("search"), Some("nobody-s")]);
    let grant = |role, team: Option<&str>| Grant { role, team: team.map(TeamId::new) };
    for role in Role::ALL {
        grants.push(vec![grant(role, None)]);
        grants.push(vec![grant(role, Some("payments"))]);
        grants.push(vec![grant(role, Some("payments")), grant(role, Some("search"))]);
        grants.push(vec![grant(Role::Viewer, Some("search")), grant(role, Some("payments"))]);
    }
    let mut seen = std::collections::BTreeSet::new();
    for grants in grants {
        let actor = Actor { kind: ActorKind::User, id: ActorId::new("u"), grants };
        for action in Action::ALL {
            let scope = scope(&actor, action);
            for team in teams.map(|team| team.map(TeamId::new)) {
                let within = match (&scope, &team) {
                    (Scope::Everything, _) => true,
                    (Scope::Of { teams, .. }, Some(team)) => teams.contains(team),
                    (Scope::Of { global, .. }, None) => *global,
                };
                assert_eq!(within, allowed(&actor, action, team.as_ref()), "{actor:?} {action:?} {team:?}");
                seen.insert((within, team.is_some()));
            }
        }
    }
    assert_eq!(seen.len(), 4, "each answer was given for a team and for none");
}
