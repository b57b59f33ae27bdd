//! Approvals and what they are about: two streams that never disagree, whoever votes, edits or comes late.

use commands::approvals::{Ballot, CastVote, Decision, ExpireApproval, decide_each};
use commands::runbooks::{Deprecate, Revise, Submit};
use commands::{Actor, ActorKind, Bus, CommandError, Grant, Outcome, Request, Role, tokens};
use domain::approval::{Approval, Status, Verdict};
use domain::ids::{ActorId, TeamId, UserId};
use domain::runbook::{self, Command, Phase, Runbook, definition};
use domain::sealed::Sealed;
use domain::user::{self, User};
use jiff::Timestamp;
use serde_json::json;

use crate::bed::{Bed, admin, on_both};

on_both!(
    submitting_opens_an_approval_in_the_same_append,
    one_vote_is_one_append_whichever_door_it_came_through,
    two_votes_at_once_count_each_once,
    without_the_expectation_a_vote_would_be_lost,
    approving_a_draft_submits_it,
    the_author_approves_only_when_alone,
    whatever_takes_a_submission_back_withdraws_its_approval,
    an_expiry_ends_both_and_a_late_one_nothing,
    a_vote_and_an_edit_at_once_never_disagree,
    a_stand_in_votes_with_borrowed_rights,
    many_are_decided_each_on_its_own,
    a_key_stands_for_all_decisions_under_it,
);

const AT: Timestamp = Timestamp::constant(1_800_000_000, 0);
const UNTIL: Timestamp = Timestamp::constant(1_800_360_000, 0);
const LATER: Timestamp = Timestamp::constant(1_900_000_000, 0);

fn written(name: &str) -> definition::Definition {
    let body = json!({
        "name": name, "description": "Restarts the connection pool.",
        "webhook_url": "https://automation.example/hooks/restart",
    });
    definition::parse(&body).unwrap().definition
}

async fn write(bed: &Bed, by: &str, id: &str) {
    let create = Command::Create { by: ActorId::new(by), definition: written("Restart"), change_note: None };
    bed.bus.create::<Runbook>(&admin(by), id, &create).await.unwrap();
}

fn submit(id: &str, quorum: u32) -> Submit {
    Submit { runbook_id: id.to_owned(), by: ActorId::new("ana"), quorum, expires_at: Some(LATER) }
}

/// A runbook of Ana's that waits for so many votes, and its approval.
async fn submitted(bed: &Bed, id: &str, quorum: u32) -> String {
    another_admin(bed).await;
    write(bed, "ana", id).await;
    bed.bus.run(&admin("ana"), &submit(id, quorum)).await.unwrap();
    runbook(&bed.bus, id).await.submission().unwrap().approval_id.to_string()
}

/// So that nobody is alone.
async fn another_admin(bed: &Bed) {
    service(bed, Role::PlatformAdmin).await;
}

/// A service's own token of this role, by its id.
async fn service(bed: &Bed, role: Role) -> String {
    let request = Request::new(Actor::system(ActorKind::System, "command-line"));
    tokens::mint(&bed.bus, &request, tokens::Wanted::service("a service", role), AT).await.unwrap().id
}

async fn runbook(bus: &Bus, id: &str) -> Runbook {
    (*bus.look::<Runbook>(id).await.unwrap().unwrap().0).clone()
}

async fn approval(bus: &Bus, id: &str) -> Approval {
    (*bus.look::<Approval>(id).await.unwrap().unwrap().0).clone()
}

fn vote(by: &str, on: Ballot, verdict: Verdict) -> CastVote {
    let reason = (verdict == Verdict::Reject).then(|| "not safe".to_owned());
    CastVote { on, by: ActorId::new(by), standing_in_for: None, verdict, content_hash: None, reason, at: AT }
}

fn on(approval_id: &str) -> Ballot {
    Ballot::Approval(approval_id.to_owned())
}

fn draft(id: &str) -> Ballot {
    Ballot::Draft(id.to_owned())
}

#[track_caller]
fn refused(outcome: Result<Outcome, CommandError>, code: &str) {
    match outcome {
        Err(CommandError::Refused(refusal)) => assert_eq!(refusal.code(), code, "{refusal}"),
        other => panic!("not refused: {other:?}"),
    }
}

async fn submitting_opens_an_approval_in_the_same_append(bed: &Bed) {
    write(bed, "ana", "r").await;
    let outcome = bed.bus.run(&admin("ana"), &submit("r", 2)).await.unwrap();
    let runbook = runbook(&bed.bus, "r").await;
    let (draft, submission) = (runbook.draft.as_ref().unwrap(), runbook.submission().unwrap());
    let id = submission.approval_id.as_str();
    assert_eq!((outcome.version_of("runbook", "r"), outcome.version_of("approval", id)), (2, 1));
    assert_eq!(outcome.position, 3);
    let terms = approval(&bed.bus, id).await.terms.unwrap();
    let subject = terms.subject;
    assert_eq!((subject.id.as_str(), subject.version, subject.base_version), ("r", 1, None));
    assert_eq!((&subject.content_hash, terms.quorum, terms.expires_at), (&draft.content_hash, 2, Some(LATER)));
    assert!(terms.four_eyes && terms.authors == draft.authors);
    // Again: it waits for the approval that it has.
    let again = bed.bus.run(&admin("ana"), &submit("r", 1)).await.unwrap();
    assert!(!again.changed && bed.events().await == 3);
    // The same command is the same approval, also when it is repeated.
    let keyed = || admin("ana").keyed("k", [7; 32]);
    let revise = |command| Revise { runbook_id: "r".to_owned(), command };
    let withdraw = revise(Command::WithdrawSubmission { by: ActorId::new("ana") });
    bed.bus.run(&admin("ana"), &withdraw).await.unwrap();
    let first = bed.bus.run(&keyed(), &submit("r", 1)).await.unwrap();
    let second = bed.bus.run(&keyed(), &submit("r", 1)).await.unwrap();
    assert!(second.replayed && second.position == first.position);
}

async fn one_vote_is_one_append_whichever_door_it_came_through(bed: &Bed) {
    for (id, n) in [("by-runbook", 0), ("by-approval", 1)] {
        let approval_id = submitted(bed, id, 2).await;
        let ballot = [draft(id), on(&approval_id)][n].clone();
        let first = bed.bus.run(&admin("ben"), &vote("ben", ballot.clone(), Verdict::Approve)).await.unwrap();
        assert_eq!((first.version_of("runbook", id), first.version_of("approval", &approval_id)), (3, 2));
        let half = runbook(&bed.bus, id).await;
        assert_eq!(half.draft.as_ref().unwrap().phase, Phase::Pending);
        assert_eq!(half.submission().unwrap().consents.len(), 1);
        // The same again is nothing; against it, nobody may.
        let again = bed.bus.run(&admin("ben"), &vote("ben", ballot.clone(), Verdict::Approve)).await.unwrap();
        assert!(!again.changed);
        refused(bed.bus.run(&admin("ben"), &vote("ben", ballot.clone(), Verdict::Reject)).await, "voted_already");

        let last = bed.bus.run(&admin("cleo"), &vote("cleo", ballot.clone(), Verdict::Approve)).await.unwrap();
        assert_eq!((last.version_of("runbook", id), last.version_of("approval", &approval_id)), (4, 4));
        assert_eq!(approval(&bed.bus, &approval_id).await.status, Status::Approved);
        let done = runbook(&bed.bus, id).await;
        assert_eq!((done.status, done.versions.len()), (runbook::Status::Approved, 1));
        let late = bed.bus.run(&admin("dora"), &vote("dora", ballot, Verdict::Approve)).await;
        refused(late, if n == 0 { "no_draft" } else { "approval_over" });
    }
    let approval_id = submitted(bed, "no", 3).await;
    bed.bus.run(&admin("ben"), &vote("ben", on(&approval_id), Verdict::Reject)).await.unwrap();
    assert_eq!(approval(&bed.bus, &approval_id).await.status, Status::Rejected);
    assert_eq!(runbook(&bed.bus, "no").await.draft.unwrap().phase, Phase::Editing);
    refused(bed.bus.run(&admin("ben"), &vote("ben", on("nothing"), Verdict::Approve)).await, "approval_missing");
    refused(bed.bus.run(&admin("ben"), &vote("ben", draft("nothing"), Verdict::Approve)).await, "runbook_missing");
}

/// Half of them on another node, which shares nothing with the first but the database; each through either door.
async fn two_votes_at_once_count_each_once(bed: &Bed) {
    let other = bed.another_node().await;
    for round in 0..10 {
        let id = format!("r{round}");
        let approval_id = submitted(bed, &id, 2).await;
        let (ben, cleo) = (admin("ben"), admin("cleo"));
        let there = vote("ben", on(&approval_id), Verdict::Approve);
        let here = vote("cleo", draft(&id), Verdict::Approve);
        let (first, second) = tokio::join!(bed.bus.run(&ben, &there), other.run(&cleo, &here));
        assert!(first.unwrap().changed && second.unwrap().changed);
        let approval = approval(&other, &approval_id).await;
        assert_eq!((approval.status, approval.votes.len()), (Status::Approved, 2));
        let runbook = runbook(&other, &id).await;
        assert_eq!((runbook.status, runbook.versions.len()), (runbook::Status::Approved, 1));
        let events = bed.bus.store().load(storage::StreamId::new("runbook", &id), 0).await.unwrap();
        let names: Vec<_> = events.iter().skip(2).map(|event| event.event_type.as_str()).collect();
        assert_eq!(names, ["runbook.vote_counted", "runbook.approved"]);
        // One person twice at once is one vote.
        let one_id = format!("once{round}");
        let once = submitted(bed, &one_id, 2).await;
        let (mine, same) = (vote("ben", on(&once), Verdict::Approve), vote("ben", draft(&one_id), Verdict::Approve));
        let (ben, again) = (admin("ben"), admin("ben"));
        let (first, second) = tokio::join!(bed.bus.run(&ben, &mine), other.run(&again, &same));
        assert_eq!(usize::from(first.unwrap().changed) + usize::from(second.unwrap().changed), 1);
        assert_eq!(self::approval(&other, &once).await.votes.len(), 1);
    }
}

/// The control: both decide on what they both have read, and only what the append expects tells the second one off.
/// Folding both decisions all the same shows what would be lost: two votes, and nothing approved.
async fn without_the_expectation_a_vote_would_be_lost(bed: &Bed) {
    use domain::Aggregate;
    let approval_id = submitted(bed, "r", 2).await;
    let seen = approval(&bed.bus, &approval_id).await;
    let mut blind = seen.clone();
    for by in ["ben", "cleo"] {
        let cast = domain::approval::Cast {
            voter: commands::approvals::voter(&admin(by).actor, true),
            verdict: Verdict::Approve,
            content_hash: seen.terms.as_ref().unwrap().subject.content_hash.clone(),
            reason: None,
            at: AT,
        };
        for event in seen.decide(&domain::approval::Command::Vote(Box::new(cast))).unwrap() {
            blind.apply(&event);
        }
    }
    assert_eq!((blind.votes.len(), blind.status), (2, Status::Pending));
}

async fn approving_a_draft_submits_it(bed: &Bed) {
    another_admin(bed).await;
    write(bed, "ana", "r").await;
    refused(bed.bus.run(&admin("ben"), &vote("ben", draft("r"), Verdict::Reject)).await, "draft_not_pending");
    refused(bed.bus.run(&admin("ana"), &vote("ana", draft("r"), Verdict::Approve)).await, "four_eyes");
    assert_eq!(bed.events().await, 3, "nothing half done");
    let other = CastVote { content_hash: Some("77aa".to_owned()), ..vote("ben", draft("r"), Verdict::Approve) };
    refused(bed.bus.run(&admin("ben"), &other).await, "content_changed");
    let outcome = bed.bus.run(&admin("ben"), &vote("ben", draft("r"), Verdict::Approve)).await.unwrap();
    assert_eq!(outcome.version_of("runbook", "r"), 3, "submitted and approved in one append");
    let runbook = runbook(&bed.bus, "r").await;
    let version = &runbook.versions[0];
    assert_eq!((runbook.status, version.number, version.self_approved), (runbook::Status::Approved, 1, false));
    refused(bed.bus.run(&admin("ben"), &vote("ben", draft("r"), Verdict::Approve)).await, "no_draft");
}

async fn the_author_approves_only_when_alone(bed: &Bed) {
    service(bed, Role::Auditor).await;
    let only = service(bed, Role::PlatformAdmin).await;
    write(bed, &only, "r").await;
    bed.bus.run(&admin(&only), &vote(&only, draft("r"), Verdict::Approve)).await.unwrap();
    assert!(runbook(&bed.bus, "r").await.versions[0].self_approved);

    another_admin(bed).await;
    write(bed, &only, "s").await;
    refused(bed.bus.run(&admin(&only), &vote(&only, draft("s"), Verdict::Approve)).await, "four_eyes");
    let deprecate = Deprecate { runbook_id: "r".to_owned(), by: ActorId::new(&*only), reason: None, at: AT };
    refused(bed.bus.run(&admin(&only), &deprecate).await, "four_eyes");
}

async fn whatever_takes_a_submission_back_withdraws_its_approval(bed: &Bed) {
    let by = || ActorId::new("ana");
    let edit = Command::Edit { by: by(), definition: written("Restart gently"), change_note: None };
    let commands = [edit, Command::WithdrawSubmission { by: by() }, Command::DiscardDraft { by: by() }];
    for (n, command) in commands.into_iter().enumerate() {
        let id = format!("r{n}");
        let approval_id = submitted(bed, &id, 1).await;
        let revise = Revise { runbook_id: id.clone(), command };
        let outcome = bed.bus.run(&admin("ana"), &revise).await.unwrap();
        assert_eq!(outcome.version_of("approval", &approval_id), 2, "in the same append");
        assert_eq!(approval(&bed.bus, &approval_id).await.status, Status::Withdrawn);
        refused(bed.bus.run(&admin("ben"), &vote("ben", on(&approval_id), Verdict::Approve)).await, "approval_over");
        assert!(runbook(&bed.bus, &id).await.submission().is_none());
    }
    // Deprecating does so too; the version in use is the one approved before.
    let first = submitted(bed, "d", 1).await;
    bed.bus.run(&admin("ben"), &vote("ben", on(&first), Verdict::Approve)).await.unwrap();
    let edit = Command::Edit { by: by(), definition: written("Restart gently"), change_note: None };
    bed.bus.run(&admin("ana"), &Revise { runbook_id: "d".to_owned(), command: edit }).await.unwrap();
    bed.bus.run(&admin("ana"), &submit("d", 1)).await.unwrap();
    let second = runbook(&bed.bus, "d").await.submission().unwrap().approval_id.to_string();
    assert_eq!(approval(&bed.bus, &second).await.terms.unwrap().subject.base_version, Some(1));
    let deprecate = Deprecate { runbook_id: "d".to_owned(), by: ActorId::new("ben"), reason: None, at: AT };
    bed.bus.run(&admin("ben"), &deprecate).await.unwrap();
    assert_eq!(approval(&bed.bus, &second).await.status, Status::Withdrawn);
    assert_eq!(runbook(&bed.bus, "d").await.status, runbook::Status::Deprecated);
}

async fn an_expiry_ends_both_and_a_late_one_nothing(bed: &Bed) {
    let clock = Request::new(Actor::system(ActorKind::Reaction, "clock"));
    let approval_id = submitted(bed, "r", 1).await;
    let expire = |at| ExpireApproval { approval_id: approval_id.clone(), expires_at: LATER, at };
    refused(bed.bus.run(&clock, &expire(AT)).await, "not_due");
    let denied = bed.bus.run(&admin("ben"), &expire(LATER)).await;
    assert!(matches!(denied, Err(CommandError::Denied(_))), "nobody says what time it is: {denied:?}");
    let too_late = CastVote { at: LATER, ..vote("ben", on(&approval_id), Verdict::Approve) };
    refused(bed.bus.run(&admin("ben"), &too_late).await, "approval_expired");
    let outcome = bed.bus.run(&clock, &expire(LATER)).await.unwrap();
    assert_eq!((outcome.version_of("approval", &approval_id), outcome.version_of("runbook", "r")), (2, 3));
    let runbook = runbook(&bed.bus, "r").await;
    assert_eq!((runbook.status, runbook.draft.unwrap().phase), (runbook::Status::Draft, Phase::Editing));
    let again = Request::new(Actor::system(ActorKind::Reaction, "clock"));
    assert!(!bed.bus.run(&again, &expire(LATER)).await.unwrap().changed);
}

async fn a_vote_and_an_edit_at_once_never_disagree(bed: &Bed) {
    let other = bed.another_node().await;
    for round in 0..10 {
        let id = format!("r{round}");
        let approval_id = submitted(bed, &id, 1).await;
        let definition = written(&format!("Restart {round}"));
        let command = Command::Edit { by: ActorId::new("ana"), definition, change_note: None };
        let edit = Revise { runbook_id: id.clone(), command };
        let approve = vote("ben", on(&approval_id), Verdict::Approve);
        let (ana, ben) = (admin("ana"), admin("ben"));
        let (edited, voted) = tokio::join!(bed.bus.run(&ana, &edit), other.run(&ben, &approve));
        edited.unwrap();
        let (runbook, approval) = (runbook(&other, &id).await, approval(&other, &approval_id).await);
        match voted {
            Ok(_) => {
                assert_eq!((approval.status, runbook.versions.len()), (Status::Approved, 1));
                assert_eq!(runbook.definition.as_ref().unwrap().name(), "Restart", "what was voted on, not the edit");
            }
            Err(error) => {
                // Whichever stream was read first may have been read before the edit.
                let CommandError::Refused(refusal) = &error else { panic!("{error}") };
                assert!(["approval_over", "draft_not_pending"].contains(&refusal.code()), "{refusal}");
                assert_eq!((approval.status, runbook.versions.len()), (Status::Withdrawn, 0));
            }
        }
        assert_eq!(runbook.draft.unwrap().definition.name(), format!("Restart {round}"));
    }
}

async fn a_stand_in_votes_with_borrowed_rights(bed: &Bed) {
    let approval_id = submitted(bed, "r", 1).await;
    let grants = vec![Grant { role: Role::Responder, team: Some(TeamId::new("payments")) }];
    let responder = || Request::new(Actor::user("rita", grants.clone()));
    let own = vote("rita", on(&approval_id), Verdict::Approve);
    refused(bed.bus.run(&responder(), &own).await, "not_eligible");
    let admins = vec![Grant { role: Role::PlatformAdmin, team: None }];
    for id in ["ana", "ben"] {
        lends(bed, id, &admins).await;
    }
    let of = |id: &str| Some(UserId::new(id));
    let for_author = CastVote { standing_in_for: of("ana"), ..own.clone() };
    refused(bed.bus.run(&responder(), &for_author).await, "four_eyes");
    let for_nobody = CastVote { standing_in_for: of("carl"), ..own.clone() };
    refused(bed.bus.run(&responder(), &for_nobody).await, "not_stand_in");
    let late = CastVote { standing_in_for: of("ben"), at: UNTIL, ..own.clone() };
    refused(bed.bus.run(&responder(), &late).await, "not_stand_in");
    let for_ben = CastVote { standing_in_for: of("ben"), ..own };
    bed.bus.run(&responder(), &for_ben).await.unwrap();
    let consent = approval(&bed.bus, &approval_id).await.votes[0].clone();
    assert_eq!((consent.by.as_str(), consent.standing_in_for), ("rita", Some(ActorId::new("ben"))));
    assert_eq!(runbook(&bed.bus, "r").await.status, runbook::Status::Approved);
}

/// Somebody who has asked rita to vote in his place until `UNTIL`.
async fn lends(bed: &Bed, id: &str, grants: &[Grant]) {
    let sealed =
        |text: &str| Sealed { subject: id.to_owned(), key: 1, nonce: text.to_owned(), sealed: text.to_owned() };
    let create = user::Command::Create {
        by: ActorId::new("ann"),
        user: UserId::new(id),
        name: sealed("name"),
        email: sealed("email"),
        grants: grants.iter().cloned().collect(),
        origin: user::Origin::CommandLine,
    };
    bed.bus.create::<User>(&admin("ann"), id, &create).await.unwrap();
    let by = ActorId::new(id);
    let to = UserId::new("rita");
    let delegate = user::Command::Delegate { by, to, active: true, from: AT, until: UNTIL, at: AT };
    bed.bus.execute::<User>(&Request::new(Actor::user(id, [])), id, &delegate).await.unwrap();
}

fn decision(approval_id: &str, verdict: Verdict) -> Decision {
    let reason = (verdict == Verdict::Reject).then(|| "not safe".to_owned());
    Decision { approval_id: approval_id.to_owned(), verdict, content_hash: None, reason }
}

async fn many_are_decided_each_on_its_own(bed: &Bed) {
    let (yes, no) = (submitted(bed, "yes", 1).await, submitted(bed, "no", 1).await);
    let decisions =
        [decision(&yes, Verdict::Approve), decision("nothing", Verdict::Approve), decision(&no, Verdict::Reject)];
    let request = admin("ben");
    let outcomes = decide_each(&bed.bus, &request, &decisions, AT).await.unwrap();
    let codes: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(outcome) if outcome.changed => "decided",
            Ok(_) => "nothing",
            Err(CommandError::Refused(refusal)) => refusal.code(),
            Err(error) => panic!("{error}"),
        })
        .collect();
    assert_eq!(codes, ["decided", "approval_missing", "decided"]);
    assert_eq!(approval(&bed.bus, &yes).await.status, Status::Approved);
    assert_eq!(approval(&bed.bus, &no).await.status, Status::Rejected);
    let events = bed.bus.store().load(storage::StreamId::new("approval", &yes), 1).await.unwrap();
    assert!(events[0].metadata.contains(&request.command_id.to_string()), "one story: {}", events[0].metadata);
}

async fn a_key_stands_for_all_decisions_under_it(bed: &Bed) {
    let (first, second) = (submitted(bed, "a", 1).await, submitted(bed, "b", 1).await);
    let decisions = [decision("nothing", Verdict::Approve), decision(&first, Verdict::Approve)];
    let request = || admin("ben").keyed("k", [1; 32]);
    decide_each(&bed.bus, &request(), &decisions, AT).await.unwrap()[1].as_ref().unwrap();
    let events = bed.events().await;
    let again = decide_each(&bed.bus, &request(), &decisions, AT).await.unwrap();
    assert!(again[0].is_err() && again[1].as_ref().unwrap().replayed);
    assert_eq!(bed.events().await, events);
    // Another body under the key is none at all, also where its own part was never used.
    let other = admin("ben").keyed("k", [2; 32]);
    let decisions = [decision(&second, Verdict::Approve)];
    let reused = decide_each(&bed.bus, &other, &decisions, AT).await;
    assert!(matches!(reused, Err(CommandError::KeyReused)), "{reused:?}");
    assert_eq!(bed.events().await, events);
}
