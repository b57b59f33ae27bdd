//! The table of rights, whole, as it is meant to be read.

use commands::authorize::{Action, Reach, Scope, allowed, reach, scope};
use commands::{Actor, ActorKind, Grant, Role};
use domain::ids::TeamId;

#[test]
fn the_table_is_this_one() {
    use Reach::{Everywhere, Nowhere, OwnTeams, OwnTeamsAndGlobal};
    // read runbooks, read incidents, draft runbooks, decide on runbooks, read approvals, vote on approvals, handle
    // incidents, fire timers, read work, operate work, read views, operate views, read people, manage people, manage
    // roles, manage oneself, manage teams, manage tokens; read, manage, publish status pages, follow incidents, read,
    // manage partner grants, record accesses
    let mut responder = [Nowhere; 25];
    (responder[0], responder[1], responder[2]) = (OwnTeamsAndGlobal, Everywhere, OwnTeams);
    (responder[4], responder[5]) = (OwnTeamsAndGlobal, OwnTeamsAndGlobal);
    (responder[6], responder[12]) = (Everywhere, Everywhere);
    let mut manager = responder;
    for own in [14, 16, 18, 20] {
        manager[own] = OwnTeams;
    }
    let mut auditor = [Nowhere; 25];
    for read in [0, 1, 4, 8, 10, 12, 18, 22] {
        auditor[read] = Everywhere;
    }
    let mut admin = [Everywhere; 25];
    for believed in [7, 15, 21, 24] {
        admin[believed] = Nowhere;
    }
    let table = [
        (Role::PlatformAdmin, admin),
        (Role::TeamManager, manager),
        (Role::Responder, responder),
        (Role::Auditor, auditor),
        (Role::Viewer, [Nowhere; 25]),
        (Role::Partner, [Nowhere; 25]),
    ];
    assert_eq!(table.map(|(role, _)| role), Role::ALL);
    for (role, row) in table {
        assert_eq!(Action::ALL.map(|action| reach(role, action)), row, "{role}");
    }
}

fn in_team(role: Role, team: Option<&str>) -> Actor {
    let grants = vec![Grant { role, team: team.map(TeamId::new) }];
    Actor::user("u", grants)
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
        Action::VoteOnApprovals,
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

fn may(actor: &Actor, action: Action) -> bool {
    allowed(actor, action, None)
}

#[test]
fn without_a_role_there_is_no_right() {
    let nobody = Actor::user("u", []);
    let allowed: Vec<Action> = Action::ALL.into_iter().filter(|action| may(&nobody, *action)).collect();
    assert_eq!(allowed, [Action::ManageOneself], "a person looks after himself");
    let token =
        Actor { kind: ActorKind::ApiToken, ..Actor::user("u", Role::ALL.map(|role| Grant { role, team: None })) };
    assert!(!may(&token, Action::ManageOneself), "and no token does it for him");
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
        let actor = Actor::user("u", grants);
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
