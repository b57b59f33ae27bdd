//! Runbooks, command by command.

use domain::Aggregate;
use domain::runbook::{Approved, Command, Consent, Definition, Drafted, Event, Phase, Runbook, Status};

use super::behaviour::{emits, emits_nothing, faults_at, refuses, when};
use super::samples::{ALICE, BOB, CARL, approved, asked, consent, drafted, named, submitted, time, withdrawn};

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
    Command::Submit { by: ALICE.into(), approval_id: asked(1), quorum: 1, expires_at: None }
}

fn approve(by: &str, version: u32) -> Command {
    Command::Approve { approval_id: asked(version), consent: consent(by) }
}

fn count(by: &str) -> Command {
    Command::CountVote { approval_id: asked(1), consent: consent(by) }
}

fn reject(by: &str, version: u32) -> Command {
    let reason = " not safe ".to_owned();
    Command::Reject { approval_id: asked(version), by: by.into(), standing_in_for: None, reason }
}

fn expire(version: u32) -> Command {
    Command::ExpireSubmission { approval_id: asked(version) }
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
        count(BOB),
        approve(BOB, 1),
        reject(BOB, 1),
        deprecate(BOB, true),
        Command::DiscardDraft { by: ALICE.into() },
    ] {
        refuses::<Runbook>(&[], &command, "runbook_missing");
    }
}

#[test]
fn who_acts_and_what_is_said_is_checked() {
    let submit = |by: &str, quorum| Command::Submit { by: by.into(), approval_id: asked(1), quorum, expires_at: None };
    faults_at::<Runbook>(&created(), &submit("a@example.com", 0), &["/by", "/quorum"]);
    faults_at::<Runbook>(&created(), &submit(ALICE, 11), &["/quorum"]);
    faults_at::<Runbook>(&created(), &edit(ALICE, &named("two"), Some(&"x".repeat(501))), &["/change_note"]);
    let no_reason =
        Command::Reject { approval_id: asked(1), by: BOB.into(), standing_in_for: None, reason: " ".to_owned() };
    faults_at::<Runbook>(&pending(), &no_reason, &["/reason"]);
    let long = Consent { reason: Some("x".repeat(1_001)), ..consent(BOB) };
    let approval_id = asked(1);
    for command in [
        Command::Deprecate { by: BOB.into(), another_platform_admin: true, reason: long.reason.clone() },
        Command::Approve { approval_id: approval_id.clone(), consent: long.clone() },
        Command::CountVote { approval_id, consent: long },
    ] {
        faults_at::<Runbook>(&approved_once(), &command, &["/reason"]);
    }
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

/// As `submitted`, but so many must approve.
fn submitted_for(quorum: u32) -> Event {
    let Event::DraftSubmitted { by, of_version, content_hash, approval_id, expires_at, .. } =
        submitted(ALICE, 1, &named("one"))
    else {
        panic!("a submission");
    };
    Event::DraftSubmitted { by, of_version, content_hash, approval_id, quorum, expires_at }
}

#[test]
fn a_submission_that_nobody_decides_on_expires() {
    let expires_at = Some(time("2026-02-01T00:00:00Z"));
    let submit = Command::Submit { by: ALICE.into(), approval_id: asked(1), quorum: 1, expires_at };
    let emitted = when::<Runbook>(&created(), &submit).unwrap();
    let draft = Runbook::fold(&and(created(), emitted)).draft.unwrap();
    assert_eq!(draft.submission.unwrap().expires_at, expires_at);

    let expired = Event::SubmissionExpired { of_version: 1, content_hash: named("one").content_hash() };
    emits::<Runbook>(&pending(), &expire(1), std::slice::from_ref(&expired));
    let back = and(pending(), [expired]);
    // Expiry rejects: there is nothing to approve any more, until it is submitted again.
    refuses::<Runbook>(&back, &approve(BOB, 1), "draft_not_pending");
    let draft = Runbook::fold(&back).draft.unwrap();
    assert_eq!((draft.phase, draft.submission), (Phase::Editing, None));
    emits::<Runbook>(&back, &self::submit(), &[submitted(ALICE, 1, &named("one"))]);
}

#[test]
fn the_expiry_of_another_submission_is_stale() {
    let anew = Event::DraftSubmitted {
        by: ALICE.into(),
        of_version: 1,
        content_hash: named("one").content_hash(),
        approval_id: asked(2),
        quorum: 1,
        expires_at: None,
    };
    let gone = Event::DraftDiscarded { by: ALICE.into(), of_version: 1 };
    for since in [
        created(),
        approved_once(),
        and(pending(), [withdrawn(ALICE, 1, &named("one"))]),
        and(pending(), [withdrawn(ALICE, 1, &named("one")), anew]),
        and(pending(), [withdrawn(ALICE, 1, &named("one")), gone]),
    ] {
        emits_nothing::<Runbook>(&since, &expire(1));
    }
    // The control: on its own submission the very same command is not stale.
    assert_eq!(when::<Runbook>(&pending(), &expire(1)).map(|events| events.len()), Ok(1));
    refuses::<Runbook>(&[], &expire(1), "runbook_missing");
}

#[test]
fn what_its_approval_says_is_carried_out() {
    let event = Event::Approved(approved(BOB, 1, &[ALICE], &named("one")));
    emits::<Runbook>(&pending(), &approve(BOB, 1), &[event]);
    for (state, code) in [(pending(), "submitted_anew"), (created(), "draft_not_pending")] {
        for command in
            [approve(BOB, 2), reject(BOB, 2), Command::CountVote { approval_id: asked(2), consent: consent(BOB) }]
        {
            refuses::<Runbook>(&state, &command, code);
        }
    }
    refuses::<Runbook>(&approved_once(), &approve(BOB, 1), "draft_not_pending");

    let state = Runbook::fold(&approved_once());
    assert_eq!((state.status, state.draft.is_none(), state.next_version()), (Status::Approved, true, 2));
    let (version, definition) = state.executable().unwrap();
    assert_eq!((version.number, version.approved_by.as_str()), (1, BOB));
    assert_eq!(version.content_hash, definition.content_hash());
}

#[test]
fn every_vote_that_is_not_the_last_leaves_it_pending_and_stands_in_the_version() {
    let waiting = and(created(), [submitted_for(2)]);
    let content_hash = named("one").content_hash();
    let first = Event::VoteCounted { of_version: 1, content_hash, consent: consent(BOB) };
    emits::<Runbook>(&waiting, &count(BOB), std::slice::from_ref(&first));
    let half = and(waiting, [first]);
    let submission = Runbook::fold(&half).draft.unwrap().submission.unwrap();
    assert_eq!((submission.quorum, submission.consents), (2, vec![consent(BOB)]));

    let stand_in =
        Consent { standing_in_for: Some("user:dora".into()), reason: Some(" fine ".to_owned()), ..consent(CARL) };
    let last = Consent { reason: Some("fine".to_owned()), ..stand_in.clone() };
    let both = Approved { consents: vec![consent(BOB), last], ..approved(CARL, 1, &[ALICE], &named("one")) };
    let approve = Command::Approve { approval_id: asked(1), consent: stand_in };
    emits::<Runbook>(&half, &approve, &[Event::Approved(both)]);
    // What was counted is gone with the submission.
    let again = and(half, [withdrawn(ALICE, 1, &named("one")), submitted_for(2)]);
    assert_eq!(Runbook::fold(&again).draft.unwrap().submission.unwrap().consents, []);
}

#[test]
fn whoever_touched_the_draft_is_an_author() {
    let together = and(created(), [edited(BOB, 1, &named("two")), submitted(BOB, 1, &named("two"))]);
    let expected = Event::Approved(approved(CARL, 1, &[ALICE, BOB], &named("two")));
    emits::<Runbook>(&together, &approve(CARL, 1), &[expected]);
    // Submitting is not writing. Whether an author may approve is for the approval to say; here it is told.
    let by_carl = and(created(), [submitted(CARL, 1, &named("one"))]);
    emits::<Runbook>(&by_carl, &approve(CARL, 1), &[Event::Approved(approved(CARL, 1, &[ALICE], &named("one")))]);
    let alone = Approved { self_approved: true, ..approved(ALICE, 1, &[ALICE], &named("one")) };
    emits::<Runbook>(&by_carl, &approve(ALICE, 1), &[Event::Approved(alone)]);
}

#[test]
fn an_approval_carries_the_change_note() {
    let noted = Drafted { change_note: Some("first".to_owned()), ..drafted(ALICE, 1, &named("one")) };
    let given = [Event::Created(noted), submitted(ALICE, 1, &named("one"))];
    let expected = Approved { change_note: Some("first".to_owned()), ..approved(BOB, 1, &[ALICE], &named("one")) };
    emits::<Runbook>(&given, &approve(BOB, 1), &[Event::Approved(expected)]);
}

#[test]
fn a_rejection_gives_the_draft_back() {
    let rejected = Event::Rejected {
        by: BOB.into(),
        standing_in_for: None,
        of_version: 1,
        content_hash: named("one").content_hash(),
        reason: "not safe".to_owned(),
    };
    emits::<Runbook>(&pending(), &reject(BOB, 1), std::slice::from_ref(&rejected));
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
    refuses::<Runbook>(&approved_once(), &deprecate(ALICE, true), "four_eyes");
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
fn deprecating_takes_a_submission_back() {
    let waiting = and(approved_once(), [edited(CARL, 2, &named("two")), submitted(CARL, 2, &named("two"))]);
    let hash = named("one").content_hash();
    let event = Event::Deprecated { by: BOB.into(), version: 1, content_hash: hash, reason: None };
    let expected = [withdrawn(BOB, 2, &named("two")), event];
    emits::<Runbook>(&waiting, &deprecate(BOB, true), &expected);
    let state = Runbook::fold(&and(waiting, expected));
    assert_eq!((state.status, state.draft.unwrap().phase), (Status::Deprecated, Phase::Editing));
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
        count(BOB),
        approve(BOB, 1),
        reject(BOB, 1),
        deprecate(BOB, true),
    ] {
        refuses::<Runbook>(&gone, &command, "runbook_discarded");
    }
}
