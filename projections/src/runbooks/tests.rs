//! The folds, on what the aggregate decides.

use domain::Aggregate;
use domain::ids::{ActorId, ApprovalId};
use domain::runbook::definition::parse;
use domain::runbook::{Command, Consent, Event, Phase, Runbook, Status};
use serde_json::json;

use super::{RunbookDetail, RunbookVersion};
use crate::given::{at, stream};
use crate::{Decoded, View};

const AUTHOR: &str = "ann";
const APPROVER: &str = "bob";

fn written(name: &str, create: bool) -> Command {
    let body = json!({"name": name, "description": "d", "team_id": "t1", "tags": ["x"],
        "webhook_url": "https://example.com/", "payload_template": {}});
    let (by, definition) = (ActorId::new(AUTHOR), parse(&body).unwrap().definition);
    let change_note = None;
    if create { Command::Create { by, definition, change_note } } else { Command::Edit { by, definition, change_note } }
}

/// What a runbook's life comes to; the events are what the aggregate decides.
fn after(steps: &[&str]) -> (RunbookDetail, Vec<RunbookVersion>) {
    let mut state = Runbook::default();
    let mut events: Vec<Event> = Vec::new();
    for step in steps {
        let (by, reason) = (ActorId::new(APPROVER), "r".to_owned());
        let approval_id = ApprovalId::new("a1");
        let another_platform_admin = true;
        let submit = |quorum, expires_at| Command::Submit {
            by: ActorId::new(AUTHOR),
            approval_id: ApprovalId::new("a1"),
            quorum,
            expires_at,
        };
        let consent = Consent { by: by.clone(), standing_in_for: None, reason: Some("fine".to_owned()) };
        let command = match *step {
            "approve" => Command::Approve { approval_id, consent },
            "vote" => Command::CountVote { approval_id, consent },
            "reject" => Command::Reject { approval_id, by, standing_in_for: None, reason },
            "deprecate" => Command::Deprecate { by, another_platform_admin, reason: Some(reason) },
            "submit" => submit(1, None),
            "submit to two" => submit(2, None),
            "submit for a time" => submit(1, Some(at(9))),
            "expire" => Command::ExpireSubmission { approval_id },
            "withdraw" => Command::WithdrawSubmission { by: ActorId::new(AUTHOR) },
            "discard" => Command::DiscardDraft { by: ActorId::new(AUTHOR) },
            name => written(name, events.is_empty()),
        };
        for event in state.decide(&command).unwrap() {
            state.apply(&event);
            events.push(event);
        }
    }
    let (mut detail, mut versions) = (RunbookDetail::default(), Vec::new());
    for event in stream::<Runbook>("r1", &events) {
        let event = Decoded::new(event).unwrap();
        detail.apply(&event);
        for _ in RunbookVersion::keys(&event) {
            let mut version = RunbookVersion::default();
            version.apply(&event);
            versions.push(version);
        }
    }
    let stored = serde_json::to_value(&detail).unwrap();
    assert_eq!(serde_json::from_value::<RunbookDetail>(stored).unwrap(), detail);
    assert_eq!(detail.status, state.status);
    assert_eq!(detail.current, state.executable().map(|(version, _)| version.number));
    assert_eq!(detail.definition.as_ref(), state.executable().map(|(_, definition)| definition));
    assert_eq!(detail.is_discarded(), state.is_discarded());
    (detail, versions)
}

#[test]
fn created_is_a_draft_of_version_1() {
    let (detail, versions) = after(&["one"]);
    assert_eq!((detail.id.as_str(), detail.name.as_str(), detail.version), ("r1", "one", 1));
    assert_eq!((detail.status, detail.current, versions.len()), (Status::Draft, None, 0));
    assert_eq!((detail.created_by, detail.created_at), (Some(ActorId::new(AUTHOR)), at(0)));
    let draft = detail.draft.unwrap();
    assert_eq!((draft.phase, draft.of_version, draft.submitted), (Phase::Editing, 1, None));
}

#[test]
fn submitted_rejected_and_submitted_again() {
    let draft = after(&["one", "submit"]).0.draft.unwrap();
    assert_eq!((draft.phase, draft.submitted.unwrap().at), (Phase::Pending, at(1)));
    let draft = after(&["one", "submit", "reject"]).0.draft.unwrap();
    assert_eq!((draft.phase, draft.submitted, draft.rejected.unwrap().reason), (Phase::Editing, None, "r".into()));
    let draft = after(&["one", "submit", "reject", "two"]).0.draft.unwrap();
    assert!(draft.rejected.is_some(), "an edit answers the rejection, it does not undo it");
    let draft = after(&["one", "submit", "reject", "two", "submit"]).0.draft.unwrap();
    assert!(draft.rejected.is_none());
    let draft = after(&["one", "submit", "withdraw"]).0.draft.unwrap();
    assert_eq!((draft.phase, draft.submitted), (Phase::Editing, None));
}

#[test]
fn a_pending_draft_shows_what_it_waits_for() {
    let approval = after(&["one", "submit to two", "vote"]).0.draft.unwrap().approval.unwrap();
    assert_eq!((approval.id.as_str(), approval.quorum, approval.expires_at), ("a1", 2, None));
    assert_eq!((approval.votes[0].by.as_str(), approval.votes[0].at), (APPROVER, at(2)));
    assert_eq!(after(&["one", "submit to two", "vote", "withdraw"]).0.draft.unwrap().approval, None);
    let again = after(&["one", "submit to two", "vote", "reject", "submit to two"]).0.draft.unwrap();
    assert_eq!(again.approval.unwrap().votes, []);
    let version = after(&["one", "submit", "approve"]).1.remove(0).summary;
    assert_eq!((version.approval_id, version.consents.len()), (Some(ApprovalId::new("a1")), 1));
}

#[test]
fn expired_and_submitted_again() {
    let draft = after(&["one", "submit for a time"]).0.draft.unwrap();
    assert_eq!((draft.phase, draft.submitted.unwrap().expires_at), (Phase::Pending, Some(at(9))));
    let draft = after(&["one", "submit for a time", "expire"]).0.draft.unwrap();
    assert_eq!((draft.phase, draft.submitted, draft.expired_at), (Phase::Editing, None, Some(at(2))));
    let draft = after(&["one", "submit for a time", "expire", "two"]).0.draft.unwrap();
    assert!(draft.expired_at.is_some(), "an edit answers it, as it does a rejection");
    let draft = after(&["one", "submit for a time", "expire", "two", "submit"]).0.draft.unwrap();
    assert_eq!((draft.phase, draft.expired_at), (Phase::Pending, None));
}

#[test]
fn an_approved_version_stays_current_while_the_next_is_drafted() {
    let (detail, versions) = after(&["one", "submit", "approve", "two"]);
    assert_eq!((detail.status, detail.current, detail.name.as_str()), (Status::Approved, Some(1), "one"));
    assert_eq!(detail.draft.unwrap().of_version, 2);
    assert_eq!(versions.len(), 1);
    assert_eq!((versions[0].runbook_id.as_str(), versions[0].summary.number), ("r1", 1));
    assert_eq!(versions[0].definition.as_ref().unwrap().name(), "one");
    assert_eq!(detail.versions, [versions[0].summary.clone()]);
    assert_eq!(detail.versions[0].approved_at, at(2));
}

#[test]
fn the_second_approval_makes_version_2_and_leaves_version_1_alone() {
    let (detail, versions) = after(&["one", "submit", "approve", "two", "submit", "approve"]);
    assert_eq!((detail.current, detail.name.as_str(), detail.draft), (Some(2), "two", None));
    assert_eq!(versions[0], after(&["one", "submit", "approve"]).1[0]);
}

#[test]
fn deprecated_has_no_current_version_until_a_new_approval() {
    let (detail, _) = after(&["one", "submit", "approve", "deprecate"]);
    assert_eq!((detail.status, detail.current, detail.definition), (Status::Deprecated, None, None));
    assert_eq!(detail.deprecated.unwrap().reason.as_deref(), Some("r"));
    let (detail, _) = after(&["one", "submit", "approve", "deprecate", "two", "submit", "approve"]);
    assert_eq!((detail.status, detail.current, detail.deprecated), (Status::Approved, Some(2), None));
}

#[test]
fn a_discarded_draft_is_gone_and_with_it_what_was_never_approved() {
    assert!(after(&["one", "discard"]).0.is_discarded());
    let (detail, _) = after(&["one", "submit", "approve", "two", "discard"]);
    assert!(!detail.is_discarded() && detail.draft.is_none());
}
