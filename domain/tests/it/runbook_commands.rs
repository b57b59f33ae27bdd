//! Runbooks, command by command.

use domain::Aggregate;
use domain::runbook::{Approved, Command, Definition, Drafted, Event, Phase, Runbook, Status};

use super::behaviour::{emits, emits_nothing, faults_at, refuses, when};
use super::samples::{ALICE, BOB, CARL, approved, drafted, named, submitted, time, withdrawn};

fn created() -> Vec<Event> {
    vec![Event::Created(drafted(ALICE, 1, &named("one")))]
}

fn pending() -> Vec<Event> {
    and(created(), [submitted(ALICE, 1, &named("one"))])
}

fn approved_once() -> Vec<Event> {
    and(pending(), [Event::Approved(approved(BOB, 1, &[ALICE], &named("one")))])
}

fn deprecated() -> Vec<Event> {
    let hash = named("one").content_hash();
    and(approved_once(), [Event::Deprecated { by: BOB.into(), version: 1, content_hash: hash, reason: None }])
}

fn and(mut events: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    events.extend(more);
    events
}

fn edit(by: &str, definition: &Definition, change_note: Option<&str>) -> Command {
    Command::Edit { by: by.into(), definition: definition.clone(), change_note: change_note.map(str::to_owned) }
}

fn edited(by: &str, of_version: u32, definition: &Definition) -> Event {
    Event::DraftEdited(drafted(by, of_version, definition))
}

fn submit() -> Command {
    Command::Submit { by: ALICE.into(), expires_at: None }
}

fn approve(by: &str, definition: &Definition, another_platform_admin: bool) -> Command {
    Command::Approve { by: by.into(), content_hash: definition.content_hash(), another_platform_admin, reason: None }
}

fn reject(by: &str, definition: &Definition, another_platform_admin: bool) -> Command {
    Command::Reject {
        by: by.into(),
        content_hash: definition.content_hash(),
        another_platform_admin,
        reason: " not safe ".to_owned(),
    }
}

fn deprecate(by: &str, another_platform_admin: bool) -> Command {
    Command::Deprecate { by: by.into(), another_platform_admin, reason: Some("  ".to_owned()) }
}

#[test]
fn creating_makes_a_draft() {
    let create =
        Command::Create { by: ALICE.into(), definition: named("one"), change_note: Some(" first ".to_owned()) };
    let first = Drafted { change_note: Some("first".to_owned()), ..drafted(ALICE, 1, &named("one")) };
    emits::<Runbook>(&[], &create, &[Event::Created(first)]);
    refuses::<Runbook>(&created(), &create, "runbook_exists");
    let state = Runbook::fold(&created());
    assert_eq!((state.status, state.next_version(), state.executable()), (Status::Draft, 1, None));
}

#[test]
fn what_does_not_exist_takes_no_command() {
    for command in [
        edit(ALICE, &named("one"), None),
        submit(),
        Command::WithdrawSubmission { by: ALICE.into() },
        approve(BOB, &named("one"), true),
        reject(BOB, &named("one"), true),
        deprecate(BOB, true),
        Command::DiscardDraft { by: ALICE.into() },
    ] {
        refuses::<Runbook>(&[], &command, "runbook_missing");
    }
}

#[test]
fn who_acts_and_what_is_said_is_checked() {
    faults_at::<Runbook>(&created(), &Command::Submit { by: "a@example.com".into(), expires_at: None }, &["/by"]);
    faults_at::<Runbook>(&created(), &edit(ALICE, &named("two"), Some(&"x".repeat(501))), &["/change_note"]);
    let no_reason = Command::Reject {
        by: BOB.into(),
        content_hash: named("one").content_hash(),
        another_platform_admin: true,
        reason: " ".to_owned(),
    };
    faults_at::<Runbook>(&pending(), &no_reason, &["/reason"]);
    let long = Command::Deprecate { by: BOB.into(), another_platform_admin: true, reason: Some("x".repeat(1_001)) };
    faults_at::<Runbook>(&approved_once(), &long, &["/reason"]);
}

#[test]
fn an_edit_replaces_the_draft_and_adds_an_author() {
    emits::<Runbook>(&created(), &edit(BOB, &named("two"), None), &[edited(BOB, 1, &named("two"))]);
    let state = Runbook::fold(&and(created(), [edited(BOB, 1, &named("two"))]));
    let draft = state.draft.unwrap();
    assert_eq!(draft.authors, [ALICE.into(), BOB.into()].into());
    assert_eq!(draft.definition.name(), "two");
}

#[test]
fn an_edit_that_changes_nothing_tells_nothing() {
    emits_nothing::<Runbook>(&created(), &edit(BOB, &named("one"), None));
    emits_nothing::<Runbook>(&pending(), &edit(BOB, &named("one"), None));
    emits_nothing::<Runbook>(&approved_once(), &edit(BOB, &named("one"), Some("a note alone is no draft")));
    let noted = Drafted { change_note: Some("why".to_owned()), ..drafted(BOB, 1, &named("one")) };
    emits::<Runbook>(&created(), &edit(BOB, &named("one"), Some("why")), &[Event::DraftEdited(noted)]);
}

#[test]
fn editing_a_pending_draft_withdraws_it() {
    let expected = [withdrawn(BOB, 1, &named("one")), edited(BOB, 1, &named("two"))];
    emits::<Runbook>(&pending(), &edit(BOB, &named("two"), None), &expected);
    let state = Runbook::fold(&and(pending(), expected));
    assert_eq!(state.draft.unwrap().phase, Phase::Editing);
}

#[test]
fn submitting_and_withdrawing() {
    let withdraw = Command::WithdrawSubmission { by: ALICE.into() };
    emits::<Runbook>(&created(), &submit(), &[submitted(ALICE, 1, &named("one"))]);
    emits_nothing::<Runbook>(&pending(), &submit());
    refuses::<Runbook>(&approved_once(), &submit(), "no_draft");
    emits::<Runbook>(&pending(), &withdraw, &[withdrawn(ALICE, 1, &named("one"))]);
    emits_nothing::<Runbook>(&created(), &withdraw);
    refuses::<Runbook>(&approved_once(), &withdraw, "no_draft");
}

const DUE: &str = "2026-02-01T00:00:00Z";

fn submitted_until(definition: &Definition, expires_at: &str) -> Event {
    let Event::DraftSubmitted { by, of_version, content_hash, .. } = submitted(ALICE, 1, definition) else {
        panic!("a submission");
    };
    Event::DraftSubmitted { by, of_version, content_hash, expires_at: Some(time(expires_at)) }
}

fn expire(definition: &Definition, expires_at: &str, at: &str) -> Command {
    let content_hash = definition.content_hash();
    Command::ExpireSubmission { content_hash, expires_at: time(expires_at), at: time(at) }
}

#[test]
fn a_submission_that_nobody_decides_on_expires() {
    let submit = Command::Submit { by: ALICE.into(), expires_at: Some(time(DUE)) };
    let waiting = and(created(), [submitted_until(&named("one"), DUE)]);
    emits::<Runbook>(&created(), &submit, &[submitted_until(&named("one"), DUE)]);
    refuses::<Runbook>(&waiting, &expire(&named("one"), DUE, "2026-01-31T23:59:59Z"), "not_due");
    let expired = Event::SubmissionExpired { of_version: 1, content_hash: named("one").content_hash() };
    emits::<Runbook>(&waiting, &expire(&named("one"), DUE, DUE), std::slice::from_ref(&expired));
    let back = and(waiting, [expired]);
    // Expiry rejects: there is nothing to approve any more, until it is submitted again.
    refuses::<Runbook>(&back, &approve(BOB, &named("one"), true), "draft_not_pending");
    let draft = Runbook::fold(&back).draft.unwrap();
    assert_eq!((draft.phase, draft.expires_at), (Phase::Editing, None));
    emits::<Runbook>(&back, &submit, &[submitted_until(&named("one"), DUE)]);
}

#[test]
fn the_timer_of_another_submission_is_stale() {
    let late = "2026-03-01T00:00:00Z";
    let timer = expire(&named("one"), DUE, late);
    let waiting = and(created(), [submitted_until(&named("one"), DUE)]);
    let edited_since = and(waiting.clone(), [withdrawn(BOB, 1, &named("one")), edited(BOB, 1, &named("two"))]);
    let gone = Event::DraftDiscarded { by: ALICE.into(), of_version: 1 };
    for since in [
        created(),
        pending(),
        approved_once(),
        and(waiting.clone(), [withdrawn(ALICE, 1, &named("one"))]),
        and(waiting.clone(), [withdrawn(ALICE, 1, &named("one")), submitted_until(&named("one"), late)]),
        and(waiting.clone(), [Event::Approved(approved(BOB, 1, &[ALICE], &named("one")))]),
        and(edited_since, [submitted_until(&named("two"), DUE)]),
        and(waiting.clone(), [withdrawn(ALICE, 1, &named("one")), gone]),
    ] {
        emits_nothing::<Runbook>(&since, &timer);
    }
    // The control: on its own submission the very same command is not stale.
    assert_eq!(when::<Runbook>(&waiting, &timer).map(|events| events.len()), Ok(1));
    refuses::<Runbook>(&[], &timer, "runbook_missing");
}

#[test]
fn somebody_else_approves_exactly_what_was_submitted() {
    emits::<Runbook>(
        &pending(),
        &approve(BOB, &named("one"), true),
        &[Event::Approved(approved(BOB, 1, &[ALICE], &named("one")))],
    );
    refuses::<Runbook>(&pending(), &approve(BOB, &named("two"), true), "content_changed");
    refuses::<Runbook>(&created(), &approve(BOB, &named("one"), true), "draft_not_pending");
    refuses::<Runbook>(&approved_once(), &approve(BOB, &named("one"), true), "draft_not_pending");

    let state = Runbook::fold(&approved_once());
    assert_eq!((state.status, state.draft.is_none(), state.next_version()), (Status::Approved, true, 2));
    let (version, definition) = state.executable().unwrap();
    assert_eq!((version.number, version.approved_by.as_str()), (1, BOB));
    assert_eq!(version.content_hash, definition.content_hash());
}

#[test]
fn nobody_judges_what_he_wrote_unless_he_is_alone() {
    refuses::<Runbook>(&pending(), &approve(ALICE, &named("one"), true), "four_eyes");
    refuses::<Runbook>(&pending(), &reject(ALICE, &named("one"), true), "four_eyes");
    refuses::<Runbook>(&approved_once(), &deprecate(ALICE, true), "four_eyes");

    let alone = Approved { self_approved: true, ..approved(ALICE, 1, &[ALICE], &named("one")) };
    emits::<Runbook>(&pending(), &approve(ALICE, &named("one"), false), &[Event::Approved(alone)]);
    // Somebody else who happens to be the last admin is no author.
    let other = Event::Approved(approved(BOB, 1, &[ALICE], &named("one")));
    emits::<Runbook>(&pending(), &approve(BOB, &named("one"), false), &[other]);
}

#[test]
fn whoever_touched_the_draft_is_an_author() {
    let together = and(created(), [edited(BOB, 1, &named("two")), submitted(BOB, 1, &named("two"))]);
    refuses::<Runbook>(&together, &approve(ALICE, &named("two"), true), "four_eyes");
    refuses::<Runbook>(&together, &approve(BOB, &named("two"), true), "four_eyes");
    let expected = Event::Approved(approved(CARL, 1, &[ALICE, BOB], &named("two")));
    emits::<Runbook>(&together, &approve(CARL, &named("two"), true), &[expected]);
    // Submitting is not writing.
    let by_carl = and(created(), [submitted(CARL, 1, &named("one"))]);
    let expected = Event::Approved(approved(CARL, 1, &[ALICE], &named("one")));
    emits::<Runbook>(&by_carl, &approve(CARL, &named("one"), true), &[expected]);
}

#[test]
fn an_approval_carries_its_reason_and_the_change_note() {
    let noted = Drafted { change_note: Some("first".to_owned()), ..drafted(ALICE, 1, &named("one")) };
    let given = [Event::Created(noted), submitted(ALICE, 1, &named("one"))];
    let command = Command::Approve {
        by: BOB.into(),
        content_hash: named("one").content_hash(),
        another_platform_admin: true,
        reason: Some("looks right".to_owned()),
    };
    let expected = Approved {
        change_note: Some("first".to_owned()),
        reason: Some("looks right".to_owned()),
        ..approved(BOB, 1, &[ALICE], &named("one"))
    };
    emits::<Runbook>(&given, &command, &[Event::Approved(expected)]);
}

#[test]
fn a_rejection_gives_the_draft_back() {
    let rejected = Event::Rejected {
        by: BOB.into(),
        of_version: 1,
        content_hash: named("one").content_hash(),
        reason: "not safe".to_owned(),
    };
    emits::<Runbook>(&pending(), &reject(BOB, &named("one"), true), std::slice::from_ref(&rejected));
    refuses::<Runbook>(&pending(), &reject(BOB, &named("two"), true), "content_changed");
    refuses::<Runbook>(&created(), &reject(BOB, &named("one"), true), "draft_not_pending");
    let back = and(pending(), [rejected]);
    emits::<Runbook>(&back, &submit(), &[submitted(ALICE, 1, &named("one"))]);
}

#[test]
fn the_approved_version_stays_while_the_next_is_drafted() {
    let drafting = and(approved_once(), [edited(CARL, 2, &named("two"))]);
    emits::<Runbook>(&approved_once(), &edit(CARL, &named("two"), None), &[edited(CARL, 2, &named("two"))]);
    let state = Runbook::fold(&drafting);
    assert_eq!(state.executable().unwrap().1.name(), "one");
    assert_eq!(state.draft.as_ref().unwrap().authors, [CARL.into()].into(), "authors of version 1 are not asked");

    let second =
        and(drafting, [submitted(CARL, 2, &named("two")), Event::Approved(approved(ALICE, 2, &[CARL], &named("two")))]);
    let state = Runbook::fold(&second);
    assert_eq!(state.executable().unwrap().1.name(), "two");
    let numbers: Vec<_> = state.versions.iter().map(|version| version.number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn deprecating_ends_execution_and_a_new_approval_revives() {
    let hash = named("one").content_hash();
    let event = Event::Deprecated { by: BOB.into(), version: 1, content_hash: hash, reason: None };
    emits::<Runbook>(&approved_once(), &deprecate(BOB, true), std::slice::from_ref(&event));
    emits::<Runbook>(
        &approved_once(),
        &deprecate(ALICE, false),
        &[match event {
            Event::Deprecated { version, content_hash, reason, .. } => {
                Event::Deprecated { by: ALICE.into(), version, content_hash, reason }
            }
            other => other,
        }],
    );
    emits_nothing::<Runbook>(&deprecated(), &deprecate(BOB, true));
    refuses::<Runbook>(&pending(), &deprecate(BOB, true), "never_approved");
    assert_eq!(Runbook::fold(&deprecated()).executable(), None);

    // The very same content may come back, through a new approval.
    emits::<Runbook>(&deprecated(), &edit(ALICE, &named("one"), None), &[edited(ALICE, 2, &named("one"))]);
    let revived = and(
        deprecated(),
        [
            edited(ALICE, 2, &named("one")),
            submitted(ALICE, 2, &named("one")),
            Event::Approved(approved(BOB, 2, &[ALICE], &named("one"))),
        ],
    );
    let state = Runbook::fold(&revived);
    assert_eq!((state.status, state.executable().unwrap().0.number), (Status::Approved, 2));
}

#[test]
fn a_draft_is_discarded_and_with_the_first_one_the_runbook() {
    let discard = Command::DiscardDraft { by: ALICE.into() };
    let discarded = |of_version| Event::DraftDiscarded { by: ALICE.into(), of_version };
    emits::<Runbook>(&created(), &discard, &[discarded(1)]);
    emits::<Runbook>(&pending(), &discard, &[withdrawn(ALICE, 1, &named("one")), discarded(1)]);
    emits_nothing::<Runbook>(&approved_once(), &discard);

    let drafting = and(approved_once(), [edited(CARL, 2, &named("two"))]);
    emits::<Runbook>(&drafting, &discard, &[discarded(2)]);
    assert!(!Runbook::fold(&and(drafting, [discarded(2)])).is_discarded());

    let gone = and(created(), [discarded(1)]);
    assert!(Runbook::fold(&gone).is_discarded());
    emits_nothing::<Runbook>(&gone, &discard);
    for command in [
        edit(ALICE, &named("two"), None),
        submit(),
        Command::WithdrawSubmission { by: ALICE.into() },
        approve(BOB, &named("one"), true),
        reject(BOB, &named("one"), true),
        deprecate(BOB, true),
    ] {
        refuses::<Runbook>(&gone, &command, "runbook_discarded");
    }
}
