//! Approvals, command by command.

use domain::Aggregate;
use domain::approval::{Approval, Cast, Command, Eligible, Event, Status, Terms, Verdict, Vote, Voter};
use domain::roles::Role;

use super::approvals::{DUE, HASH, admin, holding, opened, terms, vote};
use super::behaviour::{emits, emits_nothing, faults_at, refuses, when};
use super::samples::{ALICE, BOB, CARL, time};

const DORA: &str = "user:dora";

fn pending(quorum: u32) -> Vec<Event> {
    vec![opened(terms(quorum))]
}

fn and(mut events: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    events.extend(more);
    events
}

fn cast(voter: Voter, verdict: Verdict) -> Cast {
    let reason = (verdict == Verdict::Reject).then(|| " not safe ".to_owned());
    Cast { voter, verdict, content_hash: HASH.to_owned(), reason, at: time("2026-01-01T23:59:59Z") }
}

fn approve(voter: Voter) -> Command {
    Command::Vote(cast(voter, Verdict::Approve).into())
}

fn reject(voter: Voter) -> Command {
    Command::Vote(cast(voter, Verdict::Reject).into())
}

/// `by` votes in the name of `of`, who is a platform admin.
fn stand_in(by: &str, of: &str) -> Voter {
    Voter { standing_in_for: Some(of.into()), ..admin(by) }
}

fn alone(by: &str) -> Voter {
    Voter { another_platform_admin: false, ..admin(by) }
}

fn approved_by(by: &str) -> Event {
    Event::Voted(vote(by, Verdict::Approve))
}

fn rejected_by(by: &str) -> Vec<Event> {
    let vote = Vote { reason: Some("not safe".to_owned()), ..vote(by, Verdict::Reject) };
    vec![Event::Voted(vote), Event::Rejected { content_hash: HASH.to_owned() }]
}

fn granted(self_approved: bool) -> Event {
    Event::Approved { content_hash: HASH.to_owned(), self_approved }
}

fn withdraw() -> Command {
    Command::Withdraw { by: CARL.into(), reason: Some("  ".to_owned()) }
}

fn withdrawn() -> Event {
    Event::Withdrawn { by: CARL.into(), reason: None }
}

fn expire(at: &str) -> Command {
    Command::Expire { expires_at: time(DUE), at: time(at) }
}

/// Every way in which an approval ends.
fn ends() -> Vec<Vec<Event>> {
    vec![
        and(pending(1), [approved_by(BOB), granted(false)]),
        and(pending(1), rejected_by(BOB)),
        and(pending(1), [withdrawn()]),
        and(pending(1), [Event::Expired { expires_at: time(DUE) }]),
    ]
}

#[test]
fn opening_asks() {
    let open = |terms: Terms| Command::Open { by: ALICE.into(), terms: terms.into() };
    emits::<Approval>(&[], &open(terms(2)), &pending(2));
    refuses::<Approval>(&pending(2), &open(terms(2)), "approval_exists");
    let state = Approval::fold(&pending(2));
    assert_eq!((state.status, state.terms), (Status::Pending, Some(terms(2))));
}

#[test]
fn what_is_not_there_takes_no_command() {
    for command in [approve(admin(BOB)), reject(admin(BOB)), withdraw(), expire(DUE)] {
        refuses::<Approval>(&[], &command, "approval_missing");
    }
}

#[test]
fn everything_wrong_with_the_terms_is_listed() {
    let mut wrong = terms(11);
    wrong.subject.id = "a b".to_owned();
    wrong.subject.version = 0;
    wrong.subject.content_hash = String::new();
    wrong.subject.team_id = Some("x y".into());
    wrong.subject.title = Some("t".repeat(201));
    wrong.eligible = Eligible::default();
    wrong.authors = ["a@example.com".into()].into();
    let pointers = [
        "/by",
        "/subject/id",
        "/subject/content_hash",
        "/subject/version",
        "/subject/team_id",
        "/subject/title",
        "/eligible",
        "/quorum",
        "/authors",
    ];
    faults_at::<Approval>(&[], &Command::Open { by: "".into(), terms: wrong.into() }, &pointers);

    let named = |n: usize| (0..n).map(|n| format!("p{n}").as_str().into()).collect();
    let mut most = terms(10);
    most.eligible = Eligible { people: named(99), teams: ["t".into()].into(), ..Eligible::default() };
    most.authors = (0..1_000).map(|n| format!("a{n}").as_str().into()).collect();
    let mut more = most.clone();
    more.eligible.people = named(100);
    more.authors.insert("b".into());
    assert!(when::<Approval>(&[], &Command::Open { by: ALICE.into(), terms: most.into() }).is_ok());
    let open = Command::Open { by: ALICE.into(), terms: more.into() };
    faults_at::<Approval>(&[], &open, &["/eligible", "/authors"]);
    let mut odd = terms(0);
    odd.eligible = Eligible { teams: ["a b".into()].into(), people: ["".into()].into(), ..Eligible::default() };
    let open = Command::Open { by: ALICE.into(), terms: odd.into() };
    faults_at::<Approval>(&[], &open, &["/eligible/teams", "/eligible/people", "/quorum"]);
}

#[test]
fn who_votes_and_what_he_says_is_checked() {
    let silent = Cast { reason: Some(" ".to_owned()), ..cast(admin(BOB), Verdict::Reject) };
    faults_at::<Approval>(&pending(1), &Command::Vote(silent.into()), &["/reason"]);
    let without = Cast { reason: None, ..cast(admin("b b"), Verdict::Reject) };
    faults_at::<Approval>(&pending(1), &Command::Vote(without.into()), &["/by", "/reason"]);
    let long = Some("x".repeat(1_001));
    let wordy = Cast { reason: long.clone(), ..cast(stand_in(BOB, ""), Verdict::Approve) };
    faults_at::<Approval>(&pending(1), &Command::Vote(wordy.into()), &["/standing_in_for", "/reason"]);
    faults_at::<Approval>(&pending(1), &approve(stand_in(BOB, BOB)), &["/standing_in_for"]);
    faults_at::<Approval>(&pending(1), &Command::Withdraw { by: BOB.into(), reason: long }, &["/reason"]);
}

#[test]
fn as_many_as_needed_approve() {
    emits::<Approval>(&pending(1), &approve(admin(BOB)), &[approved_by(BOB), granted(false)]);
    emits::<Approval>(&pending(2), &approve(admin(BOB)), &[approved_by(BOB)]);
    let half = and(pending(2), [approved_by(BOB)]);
    assert_eq!(Approval::fold(&half).status, Status::Pending);
    let second = [approved_by(CARL), granted(false)];
    emits::<Approval>(&half, &approve(admin(CARL)), &second);
    assert_eq!(Approval::fold(&and(half, second)).status, Status::Approved);
}

#[test]
fn one_rejects() {
    emits::<Approval>(&pending(2), &reject(admin(BOB)), &rejected_by(BOB));
    let half = and(pending(2), [approved_by(BOB)]);
    emits::<Approval>(&half, &reject(admin(CARL)), &rejected_by(CARL));
    assert_eq!(Approval::fold(&and(half, rejected_by(CARL))).status, Status::Rejected);
}

#[test]
fn a_vote_counts_once() {
    let half = and(pending(3), [approved_by(BOB)]);
    emits_nothing::<Approval>(&half, &approve(admin(BOB)));
    refuses::<Approval>(&half, &reject(admin(BOB)), "voted_already");
    // The control: somebody else's does count.
    assert_eq!(when::<Approval>(&half, &approve(admin(CARL))).map(|events| events.len()), Ok(1));
}

#[test]
fn whoever_may_decide_is_named_by_role_team_or_as_himself() {
    let for_roles = |roles: &[Role]| Eligible { roles: roles.iter().copied().collect(), ..Eligible::default() };
    let for_team = Eligible { teams: ["team:search".into()].into(), ..Eligible::default() };
    let for_carl = Eligible { people: [CARL.into()].into(), ..Eligible::default() };
    let managers = for_roles(&[Role::TeamManager, Role::PlatformAdmin]);
    let manager = |team| holding(BOB, Role::TeamManager, team);
    let cases = [
        (&managers, manager(None), true),
        (&managers, manager(Some("team:storage")), true),
        (&managers, manager(Some("team:search")), false),
        (&managers, holding(BOB, Role::PlatformAdmin, Some("team:search")), true),
        (&managers, holding(BOB, Role::Responder, None), false),
        (&for_roles(&[Role::PlatformAdmin]), manager(None), false),
        (&for_team, manager(Some("team:search")), true),
        (&for_team, holding(BOB, Role::Responder, Some("team:search")), true),
        (&for_team, holding(BOB, Role::Viewer, Some("team:search")), false),
        (&for_team, holding(BOB, Role::Auditor, Some("team:search")), false),
        (&for_team, manager(Some("team:storage")), false),
        (&for_team, admin(BOB), false),
        (&for_carl, holding(CARL, Role::Viewer, None), true),
        (&for_carl, Voter { grants: vec![], ..admin(CARL) }, true),
        (&for_carl, admin(BOB), false),
        // Whose vote it is counts, not whose hand.
        (&for_carl, stand_in(BOB, CARL), true),
        (&for_carl, stand_in(CARL, BOB), false),
    ];
    for (eligible, voter, may) in cases {
        let given = vec![opened(Terms { eligible: eligible.clone(), ..terms(1) })];
        if may {
            assert!(when::<Approval>(&given, &approve(voter.clone())).is_ok(), "{eligible:?} {voter:?}");
        } else {
            refuses::<Approval>(&given, &approve(voter.clone()), "not_eligible");
            refuses::<Approval>(&given, &reject(voter), "not_eligible");
        }
    }
}

#[test]
fn nobody_decides_on_his_own_work_unless_he_is_alone() {
    refuses::<Approval>(&pending(1), &approve(admin(ALICE)), "four_eyes");
    refuses::<Approval>(&pending(1), &reject(admin(ALICE)), "four_eyes");
    let own = Vote { self_approved: true, ..vote(ALICE, Verdict::Approve) };
    emits::<Approval>(&pending(1), &approve(alone(ALICE)), &[Event::Voted(own.clone()), granted(true)]);
    // A rejection of one's own is no approval.
    emits::<Approval>(&pending(1), &reject(alone(ALICE)), &rejected_by(ALICE));
    // Somebody else who happens to be the last admin is no author.
    emits::<Approval>(&pending(1), &approve(alone(BOB)), &[approved_by(BOB), granted(false)]);
    // It is said of the whole when one vote was an author's.
    let half = and(pending(2), [Event::Voted(own.clone())]);
    emits::<Approval>(&half, &approve(admin(BOB)), &[approved_by(BOB), granted(true)]);
    // Where four eyes are not asked for, it is told all the same.
    let two = vec![opened(Terms { four_eyes: false, ..terms(1) })];
    emits::<Approval>(&two, &approve(admin(ALICE)), &[Event::Voted(own), granted(true)]);
}

#[test]
fn a_stand_in_votes_in_the_name_of_another() {
    let lent = Vote { standing_in_for: Some(CARL.into()), ..vote(BOB, Verdict::Approve) };
    emits::<Approval>(&pending(1), &approve(stand_in(BOB, CARL)), &[Event::Voted(lent.clone()), granted(false)]);
    // Four eyes hold for both, and nobody is alone who has somebody standing in for him.
    for voter in [stand_in(ALICE, CARL), stand_in(CARL, ALICE)] {
        refuses::<Approval>(&pending(1), &approve(voter.clone()), "four_eyes");
        refuses::<Approval>(&pending(1), &approve(Voter { another_platform_admin: false, ..voter }), "four_eyes");
    }
    // One of the two counts once.
    let half = and(pending(3), [Event::Voted(lent)]);
    emits_nothing::<Approval>(&half, &approve(stand_in(BOB, CARL)));
    emits_nothing::<Approval>(&half, &approve(admin(CARL)));
    emits_nothing::<Approval>(&half, &approve(stand_in(DORA, CARL)));
    for voter in [admin(BOB), stand_in(BOB, DORA), stand_in(DORA, BOB)] {
        refuses::<Approval>(&half, &approve(voter), "voted_already");
    }
    refuses::<Approval>(&half, &reject(admin(CARL)), "voted_already");
    assert_eq!(when::<Approval>(&half, &approve(admin(DORA))).map(|events| events.len()), Ok(1));
    let own = and(pending(3), [approved_by(BOB)]);
    refuses::<Approval>(&own, &approve(stand_in(BOB, CARL)), "voted_already");
}

#[test]
fn a_vote_is_on_exactly_what_was_read() {
    let other = Cast { content_hash: "77aa".to_owned(), ..cast(admin(BOB), Verdict::Approve) };
    refuses::<Approval>(&pending(1), &Command::Vote(other.into()), "content_changed");
}

#[test]
fn time_never_approves() {
    let half = and(pending(2), [approved_by(BOB)]);
    refuses::<Approval>(&half, &expire("2026-01-01T23:59:59.999Z"), "not_due");
    emits::<Approval>(&half, &expire(DUE), &[Event::Expired { expires_at: time(DUE) }]);
    // Also while the timer is late.
    let late = Cast { at: time(DUE), ..cast(admin(CARL), Verdict::Approve) };
    refuses::<Approval>(&half, &Command::Vote(late.into()), "approval_expired");
    // A timer of another time is not this one's, and where there is no end none fires.
    let another = Command::Expire { expires_at: time("2026-01-01T00:00:00Z"), at: time(DUE) };
    emits_nothing::<Approval>(&half, &another);
    let endless = vec![opened(Terms { expires_at: None, ..terms(1) })];
    emits_nothing::<Approval>(&endless, &expire(DUE));
    let late = Cast { at: time("2999-01-01T00:00:00Z"), ..cast(admin(CARL), Verdict::Approve) };
    assert!(when::<Approval>(&endless, &Command::Vote(late.into())).is_ok());
}

#[test]
fn withdrawing_ends_it() {
    emits::<Approval>(&pending(1), &withdraw(), &[withdrawn()]);
    let half = and(pending(2), [approved_by(BOB)]);
    let said = Command::Withdraw { by: CARL.into(), reason: Some(" edited ".to_owned()) };
    let event = Event::Withdrawn { by: CARL.into(), reason: Some("edited".to_owned()) };
    emits::<Approval>(&half, &said, &[event]);
}

#[test]
fn what_has_ended_stays_as_it_ended() {
    for end in ends() {
        for command in [approve(admin(BOB)), approve(admin(CARL)), reject(admin(CARL))] {
            refuses::<Approval>(&end, &command, "approval_over");
        }
        emits_nothing::<Approval>(&end, &expire(DUE));
        if Approval::fold(&end).status == Status::Withdrawn {
            emits_nothing::<Approval>(&end, &withdraw());
        } else {
            refuses::<Approval>(&end, &withdraw(), "approval_over");
        }
    }
}

#[test]
fn what_awaits_somebody_is_what_he_may_still_vote_on() {
    let (terms, votes) = (terms(3), vec![Vote { standing_in_for: Some(CARL.into()), ..vote(BOB, Verdict::Approve) }]);
    let awaits = |voter: Voter| terms.awaits(&voter, &votes);
    assert!(awaits(admin(DORA)));
    assert!(!awaits(admin(BOB)) && !awaits(admin(CARL)), "they have voted");
    assert!(!awaits(admin(ALICE)), "the author");
    assert!(awaits(alone(ALICE)));
    assert!(!awaits(holding(DORA, Role::Responder, None)), "not eligible");
}
