//! People, their teams, tokens and sessions, and the platform's admins: every decision and every refusal.

use domain::api_token::{self, ApiToken};
use domain::ids::{ActorId, UserId};
use domain::platform::{self, AdminKind, Platform};
use domain::roles::{Grant, Role, covers};
use domain::session::{self, Session};
use domain::team::{self, Team};
use domain::user::{Command, Event, Origin, PasswordBy, Standing, User};
use domain::{Aggregate, Refusal};

use super::behaviour::{emits, emits_each_time, emits_nothing, faults_at, refuses, when};
use super::samples::{ALICE, BOB, CARL, created_user, grant, sealed, time};

fn given() -> Vec<Event> {
    vec![Event::Created(created_user().into())]
}

fn create() -> Command {
    let created = created_user();
    Command::Create {
        by: created.by,
        user: created.user,
        name: created.name,
        email: created.email,
        grants: created.grants,
        origin: created.origin,
    }
}

fn deactivated() -> Vec<Event> {
    [given(), vec![Event::Deactivated { by: ALICE.into(), reason: None }]].concat()
}

fn erased() -> Vec<Event> {
    [given(), vec![Event::Erased { by: ALICE.into(), reason: None }]].concat()
}

fn by() -> ActorId {
    ALICE.into()
}

#[test]
fn somebody_is_let_in_once() {
    emits::<User>(&[], &create(), &given());
    refuses::<User>(&given(), &create(), "user_exists");
    refuses::<User>(&[], &Command::Reactivate { by: by() }, "user_missing");
}

#[test]
fn what_says_who_he_is_is_sealed_under_his_own_key() {
    let Command::Create { name, .. } = create() else { unreachable!() };
    let foreign = Command::Create {
        by: by(),
        user: BOB.into(),
        name: sealed(CARL, "x"),
        email: sealed(BOB, &"x".repeat(5_000)),
        grants: [].into(),
        origin: Origin::Invited,
    };
    faults_at::<User>(&[], &foreign, &["/name", "/email"]);
    let change = |name| Command::ChangeProfile { by: by(), name, email: None };
    faults_at::<User>(&given(), &change(Some(sealed(CARL, "x"))), &["/name"]);
    emits_nothing::<User>(&given(), &change(Some(name)));
    let new = Some(sealed(BOB, "bmV3"));
    emits::<User>(&given(), &change(new.clone()), &[Event::ProfileChanged { by: by(), name: new, email: None }]);
}

#[test]
fn roles_come_and_go() {
    let admin = || grant(Role::PlatformAdmin, None);
    let give = |grant: Grant| Command::GrantRole { by: by(), grant };
    let take = |grant: Grant| Command::RevokeRole { by: by(), grant };
    emits::<User>(&given(), &give(admin()), &[Event::RoleGranted { by: by(), grant: admin() }]);
    emits_nothing::<User>(&given(), &give(grant(Role::Responder, Some("team:shop"))));
    emits_nothing::<User>(&given(), &take(admin()));
    let held = grant(Role::Responder, Some("team:shop"));
    emits::<User>(&given(), &take(held.clone()), &[Event::RoleRevoked { by: by(), grant: held }]);
    faults_at::<User>(&given(), &give(grant(Role::Partner, None)), &["/role"]);
    faults_at::<User>(&given(), &give(grant(Role::PlatformAdmin, Some("t"))), &["/team_id"]);
    faults_at::<User>(&given(), &give(grant(Role::Responder, Some("no id"))), &["/team_id"]);
    let many: Vec<Event> =
        (0..199).map(|n| Event::RoleGranted { by: by(), grant: grant(Role::Viewer, Some(&format!("t{n}"))) }).collect();
    refuses::<User>(&[given(), many].concat(), &give(admin()), "too_many_roles");
}

#[test]
fn who_is_deactivated_keeps_his_roles_and_loses_his_stand_in() {
    let deactivate = Command::Deactivate { by: by(), reason: Some(" gone ".to_owned()) };
    let told = Event::Deactivated { by: by(), reason: Some("gone".to_owned()) };
    emits::<User>(&given(), &deactivate, std::slice::from_ref(&told));
    let delegated = Event::Delegated { by: by(), to: CARL.into(), from: time(NOON), until: time(LATER) };
    let ended = Event::DelegationEnded { by: by(), to: CARL.into() };
    emits::<User>(&[given(), vec![delegated]].concat(), &deactivate, &[ended, told]);
    emits_nothing::<User>(&deactivated(), &deactivate);
    emits::<User>(&deactivated(), &Command::Reactivate { by: by() }, &[Event::Reactivated { by: by() }]);
    emits_nothing::<User>(&given(), &Command::Reactivate { by: by() });
    for refused in [
        Command::SetPassword { by: by(), how: PasswordBy::Change },
        Command::LinkProvider { by: by(), provider: "p".to_owned(), link: "l".to_owned() },
        delegate(CARL, true, NOON, LATER),
    ] {
        refuses::<User>(&deactivated(), &refused, "user_deactivated");
    }
    assert_eq!(User::fold(&deactivated()).grants, User::fold(&given()).grants);
}

const BEFORE: &str = "2026-02-08T11:00:00Z";
const NOON: &str = "2026-02-08T12:00:00Z";
const LATER: &str = "2026-02-09T12:00:00Z";

fn delegate(to: &str, active: bool, from: &str, until: &str) -> Command {
    Command::Delegate { by: BOB.into(), to: to.into(), active, from: time(from), until: time(until), at: time(NOON) }
}

#[test]
fn somebody_stands_in_for_a_time() {
    let told = Event::Delegated { by: BOB.into(), to: CARL.into(), from: time(NOON), until: time(LATER) };
    emits::<User>(&given(), &delegate(CARL, true, NOON, LATER), std::slice::from_ref(&told));
    refuses::<User>(&given(), &delegate(CARL, false, NOON, LATER), "stand_in_missing");
    faults_at::<User>(&given(), &delegate(BOB, true, NOON, LATER), &["/to"]);
    faults_at::<User>(&given(), &delegate(CARL, true, NOON, NOON), &["/until"]);
    faults_at::<User>(&given(), &delegate(CARL, true, BEFORE, NOON), &["/until"]);
    faults_at::<User>(&given(), &delegate(CARL, true, NOON, "2027-03-08T12:00:00Z"), &["/until"]);
    let before = [given(), vec![told]].concat();
    let ended = Event::DelegationEnded { by: BOB.into(), to: CARL.into() };
    emits_nothing::<User>(&before, &delegate(CARL, true, NOON, LATER));
    let other = Event::Delegated { by: BOB.into(), to: ALICE.into(), from: time(NOON), until: time(LATER) };
    emits::<User>(&before, &delegate(ALICE, true, NOON, LATER), &[ended.clone(), other]);
    emits::<User>(&before, &Command::EndDelegation { by: BOB.into() }, &[ended]);
    emits_nothing::<User>(&given(), &Command::EndDelegation { by: BOB.into() });
    let user = User::fold(&before);
    let who = |at| user.stand_in(time(at)).map(UserId::as_str);
    assert_eq!((who(BEFORE), who(NOON), who(LATER)), (None, Some(CARL), None));
}

#[test]
fn the_last_way_in_is_kept() {
    let link = |link: &str| Command::LinkProvider { by: by(), provider: "corp".to_owned(), link: link.to_owned() };
    let linked = || Event::ProviderLinked { by: by(), provider: "corp".to_owned(), link: "a".to_owned() };
    let unlink = Command::UnlinkProvider { by: by(), provider: "corp".to_owned() };
    emits::<User>(&given(), &link("a"), &[linked()]);
    emits_nothing::<User>(&[given(), vec![linked()]].concat(), &link("a"));
    refuses::<User>(&[given(), vec![linked()]].concat(), &unlink, "last_way_in");
    let password = Event::PasswordSet { by: by(), how: PasswordBy::Link };
    let unlinked = Event::ProviderUnlinked { by: by(), provider: "corp".to_owned() };
    emits::<User>(&[given(), vec![linked(), password]].concat(), &unlink, &[unlinked]);
    emits_nothing::<User>(&given(), &unlink);
    let set = Command::SetPassword { by: by(), how: PasswordBy::Change };
    emits_each_time::<User>(&given(), &set, &[Event::PasswordSet { by: by(), how: PasswordBy::Change }]);
    let invite = Command::Invite { by: by() };
    emits_each_time::<User>(&given(), &invite, &[Event::Invited { by: by() }]);
    refuses::<User>(&deactivated(), &invite, "user_deactivated");
    let told =
        [given(), vec![Event::PasswordSet { by: by(), how: PasswordBy::Link }], deactivated()[1..].to_vec()].concat();
    assert_eq!(User::fold(&told).generation, 2, "what was proved before either counts no more");
}

#[test]
fn erased_is_for_good() {
    let erase = Command::Erase { by: by(), reason: None };
    emits::<User>(&given(), &erase, &[Event::Erased { by: by(), reason: None }]);
    emits_nothing::<User>(&erased(), &erase);
    for refused in [Command::Reactivate { by: by() }, Command::GrantRole { by: by(), grant: grant(Role::Viewer, None) }]
    {
        refuses::<User>(&erased(), &refused, "user_erased");
    }
    refuses::<User>(&erased(), &create(), "user_exists");
    let left = User::fold(&erased());
    assert_eq!(left, User { id: Some(BOB.into()), standing: Standing::Erased, ..User::default() });
    let long = Command::Erase { by: by(), reason: Some("x".repeat(1_001)) };
    faults_at::<User>(&given(), &long, &["/reason"]);
}

#[test]
fn teams() {
    let create = |name: &str| team::Command::Create {
        by: by(),
        team: "t".into(),
        name: name.to_owned(),
        description: String::new(),
    };
    let created =
        team::Event::Created { by: by(), team: "t".into(), name: "Shop".to_owned(), description: String::new() };
    emits::<Team>(&[], &create(" Shop "), std::slice::from_ref(&created));
    faults_at::<Team>(&[], &create(" "), &["/name"]);
    faults_at::<Team>(&[], &create(&"x".repeat(101)), &["/name"]);
    let given = vec![created];
    refuses::<Team>(&given, &create("Shop"), "team_exists");
    refuses::<Team>(&[], &team::Command::Archive { by: by() }, "team_missing");
    let edit = |name: &str| team::Command::Edit { by: by(), name: Some(name.to_owned()), description: None };
    emits_nothing::<Team>(&given, &edit("Shop"));
    let edited = team::Event::Edited { by: by(), name: Some("Market".to_owned()), description: None };
    emits::<Team>(&given, &edit("Market"), &[edited]);
    emits::<Team>(&given, &team::Command::Archive { by: by() }, &[team::Event::Archived { by: by() }]);
    emits_nothing::<Team>(&given, &team::Command::Restore { by: by() });
    let archived = [given, vec![team::Event::Archived { by: by() }]].concat();
    assert!(!Team::fold(&archived).is_open());
    emits::<Team>(&archived, &team::Command::Restore { by: by() }, &[team::Event::Restored { by: by() }]);
    emits_nothing::<Team>(&archived, &team::Command::Archive { by: by() });
}

fn mint(held: Option<&[Grant]>, grants: &[Grant], expires_at: Option<&str>) -> api_token::Command {
    api_token::Command::Mint {
        by: BOB.into(),
        token: "k".to_owned(),
        owner: held.map(|_| BOB.into()),
        held: held.map(|held| held.iter().cloned().collect()),
        name: "deploys".to_owned(),
        grants: grants.iter().cloned().collect(),
        read_only: false,
        expires_at: expires_at.map(time),
        at: time(NOON),
    }
}

#[test]
fn a_token_reaches_no_further_than_its_owner() {
    let (shop, everywhere) = (grant(Role::Responder, Some("shop")), grant(Role::Responder, None));
    let minted =
        |held: &[Grant], wanted: &Grant| when::<ApiToken>(&[], &mint(Some(held), std::slice::from_ref(wanted), None));
    assert!(minted(std::slice::from_ref(&shop), &shop).is_ok());
    assert!(minted(std::slice::from_ref(&everywhere), &shop).is_ok());
    assert!(minted(&[grant(Role::PlatformAdmin, None)], &grant(Role::Auditor, None)).is_ok());
    for (held, wanted) in [(&shop, &everywhere), (&shop, &grant(Role::TeamManager, Some("shop")))] {
        let refused = minted(std::slice::from_ref(held), wanted);
        assert!(matches!(&refused, Err(Refusal::Forbidden { code: "beyond_owner", .. })), "{refused:?}");
    }
    refuses::<ApiToken>(&[], &mint(Some(&[]), std::slice::from_ref(&shop), None), "beyond_owner");
    faults_at::<ApiToken>(&[], &mint(None, &[], Some(NOON)), &["/roles", "/expires_at"]);
    let told = when::<ApiToken>(&[], &mint(None, &[everywhere], Some(LATER))).unwrap();
    refuses::<ApiToken>(&told, &mint(None, std::slice::from_ref(&shop), None), "token_exists");
    let token = ApiToken::fold(&told);
    assert_eq!((token.opens(time(NOON)), token.opens(time(LATER))), (true, false));
    assert_eq!(token.rights(&[shop].into()), vec![], "what the owner has lost, the token has lost");
    let revoke = api_token::Command::Revoke { by: BOB.into(), reason: None };
    refuses::<ApiToken>(&[], &revoke, "token_missing");
    let revoked = api_token::Event::Revoked { by: BOB.into(), reason: None };
    emits::<ApiToken>(&told, &revoke, std::slice::from_ref(&revoked));
    assert!(!ApiToken::fold(&[told, vec![revoked]].concat()).opens(time(NOON)));
}

#[test]
fn the_highest_role_covers_all_and_no_other_does() {
    let all = [grant(Role::PlatformAdmin, None)].into();
    assert!(Role::ALL.into_iter().all(|role| covers(&all, &grant(role, Some("t")))));
    let one = [grant(Role::Auditor, None)].into();
    let covered: Vec<Role> = Role::ALL.into_iter().filter(|role| covers(&one, &grant(*role, None))).collect();
    assert_eq!(covered, [Role::Auditor]);
}

#[test]
fn a_session_begins_once_and_ends_once() {
    let begin = session::Command::Begin { by: BOB.into(), user: BOB.into(), method: session::Method::Password };
    let told = session::Event::Begun { by: BOB.into(), user: BOB.into(), method: session::Method::Password };
    let end = session::Command::End { by: BOB.into(), why: session::Ended::Revoked };
    emits::<Session>(&[], &begin, std::slice::from_ref(&told));
    refuses::<Session>(std::slice::from_ref(&told), &begin, "session_exists");
    refuses::<Session>(&[], &end, "session_missing");
    let ended = session::Event::Ended { by: BOB.into(), why: session::Ended::Revoked };
    emits::<Session>(&[told], &end, &[ended]);
}

#[test]
fn the_platform_always_has_somebody() {
    use platform::{Command as C, Event as E};
    let add = |admin: &str, kind| C::AddAdmin { by: by(), admin: admin.into(), kind };
    let added = |admin: &str, kind| E::AdminAdded { by: by(), admin: admin.into(), kind };
    let remove = |admin: &str| C::RemoveAdmin { by: by(), admin: admin.into() };
    let service = AdminKind::Service { until: Some(time(LATER)) };
    emits::<Platform>(&[], &C::SetUp { by: by() }, &[E::SetUp { by: by() }]);
    refuses::<Platform>(&[E::SetUp { by: by() }], &C::SetUp { by: by() }, "already_set_up");
    let given = vec![added(ALICE, AdminKind::User), added("k", service)];
    emits_nothing::<Platform>(&given, &add(ALICE, AdminKind::User));
    emits_nothing::<Platform>(&given, &remove(BOB));
    refuses::<Platform>(&given, &remove(ALICE), "last_admin");
    emits::<Platform>(&given, &remove("k"), &[E::AdminRemoved { by: by(), admin: "k".into() }]);
    let two = [given.clone(), vec![added(BOB, AdminKind::User)]].concat();
    emits::<Platform>(&two, &remove(ALICE), &[E::AdminRemoved { by: by(), admin: ALICE.into() }]);
    let platform = Platform::fold(&given);
    assert!(platform.has_another_admin(&by(), time(NOON)));
    assert!(!platform.has_another_admin(&by(), time(LATER)), "a token that has expired is nobody");
    assert!(platform.has_another_admin(&"k".into(), time(LATER)));
}
