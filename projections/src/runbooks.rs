//! A runbook as it is shown, and each of its approved versions.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::Aggregate;
use domain::ids::{ActorId, ApprovalId, TeamId};
use domain::runbook::definition::Definition;
use domain::runbook::{Approved, Consent, Drafted, Event, Phase, Runbook, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::terms::{facet, words};
use crate::view::{Column, Origin, Value, integer, moment, optional, text};
use crate::{Decoded, View};

/// What is left of a runbook of which nothing was ever approved.
pub(crate) const DISCARDED: &str = "DISCARDED";

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunbookDetail {
    pub id: String,
    /// Name to environment: as last approved, or as drafted while nothing was ever approved.
    pub name: String,
    pub description: String,
    pub team_id: Option<TeamId>,
    pub tags: BTreeSet<String>,
    pub environment: Option<String>,
    pub status: Status,
    pub draft: Option<Draft>,
    /// The version that may be executed now.
    pub current: Option<u32>,
    /// Of the current version.
    pub definition: Option<Arc<Definition>>,
    /// Every approved version, oldest first. What each one does stands in its own document, see [`RunbookVersion`].
    pub versions: Vec<VersionSummary>,
    pub deprecated: Option<Deprecated>,
    pub created_by: Option<ActorId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The aggregate's sequence, as in the ETag.
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    pub phase: Phase,
    /// The number that it gets when it is approved.
    pub of_version: u32,
    pub definition: Arc<Definition>,
    pub content_hash: String,
    pub authors: BTreeSet<ActorId>,
    pub change_note: Option<String>,
    pub submitted: Option<Submitted>,
    /// What it waits for while it is pending.
    pub approval: Option<Waiting>,
    /// Why it came back, until it is submitted again.
    pub rejected: Option<Rejected>,
    /// When it came back because nobody had decided in time, until it is submitted again.
    pub expired_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submitted {
    pub by: ActorId,
    pub at: Timestamp,
    /// Until when it waits for a decision.
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// Of the approval, where it is decided.
    pub id: ApprovalId,
    /// How many must approve.
    pub quorum: u32,
    /// Who has approved so far.
    pub votes: Vec<Vote>,
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    pub by: ActorId,
    pub standing_in_for: Option<ActorId>,
    pub reason: Option<String>,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    pub by: ActorId,
    pub standing_in_for: Option<ActorId>,
    pub at: Timestamp,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deprecated {
    pub by: ActorId,
    pub at: Timestamp,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct VersionSummary {
    pub number: u32,
    pub content_hash: String,
    pub authors: BTreeSet<ActorId>,
    /// Whose vote was the last that it needed.
    pub approved_by: Option<ActorId>,
    pub approved_at: Timestamp,
    /// Every vote for it, in their order.
    pub consents: Vec<Consent>,
    pub approval_id: Option<ApprovalId>,
    pub self_approved: bool,
    pub change_note: Option<String>,
}

/// One immutable version. Inserted by its approval, and never touched again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunbookVersion {
    pub runbook_id: String,
    #[serde(flatten)]
    pub summary: VersionSummary,
    pub definition: Option<Arc<Definition>>,
}

impl View for RunbookDetail {
    const NAME: &'static str = "runbooks";
    const VERSION: u32 = 2;
    const READS: &'static [&'static str] = &[Runbook::TYPE];
    const ORIGIN: Origin = Origin::Stream;
    const COLUMNS: &'static [Column] = &[
        text("name"),
        text("status"),
        text("draft"),
        text("team_id"),
        text("environment"),
        integer("created_at"),
        integer("updated_at"),
    ];
    const INDEXES: &'static [&'static [&'static str]] = &[
        // Every list says which statuses it wants: what was discarded is in none.
        &["status", "name"],
        &["status", "created_at"],
        &["status", "updated_at"],
        &["draft", "updated_at"],
        &["team_id", "status", "name"],
    ];
    const SEARCHED: bool = true;

    fn keys(event: &Decoded) -> Vec<String> {
        event.of::<Runbook>().map(|_| event.aggregate_id().to_owned()).into_iter().collect()
    }

    fn apply(&mut self, event: &Decoded) {
        let Some(fact) = event.of::<Runbook>() else { return };
        event.aggregate_id().clone_into(&mut self.id);
        self.updated_at = event.at();
        self.version = event.sequence();
        self.fold(fact, event.at());
    }

    fn columns(&self) -> Vec<Value> {
        vec![
            Value::Text(self.name.clone()),
            Value::Text(self.standing().to_owned()),
            optional(self.draft.as_ref().map(|draft| draft.phase.as_str())),
            optional(self.team_id.as_ref()),
            optional(self.environment.as_ref()),
            moment(self.created_at),
            moment(self.updated_at),
        ]
    }

    fn terms(&self) -> Vec<String> {
        let mut terms: Vec<String> = words([self.name.as_str(), &self.description]).into_iter().collect();
        terms.extend(self.tags.iter().map(|tag| facet("tag", tag)));
        terms
    }

    fn counted(&self) -> Vec<(&'static str, String)> {
        let mut counted = vec![("status", self.standing().to_owned())];
        counted.extend(self.draft.as_ref().map(|draft| ("draft", draft.phase.as_str().to_owned())));
        counted
    }
}

impl View for RunbookVersion {
    const NAME: &'static str = "runbook_versions";
    const VERSION: u32 = 2;
    const READS: &'static [&'static str] = &[Runbook::TYPE];
    const ORIGIN: Origin = Origin::Event;
    const COLUMNS: &'static [Column] = &[text("runbook_id"), integer("number")];
    const INDEXES: &'static [&'static [&'static str]] = &[&["runbook_id", "number"]];

    fn keys(event: &Decoded) -> Vec<String> {
        match event.of::<Runbook>() {
            Some(Event::Approved(approved)) => vec![Self::key(event.aggregate_id(), approved.version)],
            _ => vec![],
        }
    }

    fn columns(&self) -> Vec<Value> {
        vec![Value::Text(self.runbook_id.clone()), Value::Integer(self.summary.number.into())]
    }

    fn apply(&mut self, event: &Decoded) {
        let Some(Event::Approved(approved)) = event.of::<Runbook>() else { return };
        event.aggregate_id().clone_into(&mut self.runbook_id);
        self.summary = summary(approved, event.at());
        self.definition = Some(Arc::clone(&approved.definition));
    }
}

impl RunbookVersion {
    pub fn key(runbook_id: &str, number: u32) -> String {
        format!("{runbook_id}/{number}")
    }
}

impl RunbookDetail {
    /// Its status as lists know it: what was discarded is in none of them.
    fn standing(&self) -> &'static str {
        if self.is_discarded() { DISCARDED } else { self.status.as_str() }
    }

    /// Discarded before anything was approved: nothing is left of it but its history.
    pub fn is_discarded(&self) -> bool {
        self.draft.is_none() && self.versions.is_empty()
    }

    fn fold(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Created(drafted) => {
                self.created_by = Some(drafted.by.clone());
                self.created_at = at;
                self.write_draft(drafted);
            }
            Event::DraftEdited(drafted) => self.write_draft(drafted),
            Event::DraftSubmitted { by, approval_id, quorum, expires_at, .. } => {
                let (quorum, expires_at) = (*quorum, *expires_at);
                self.change_draft(|draft| {
                    draft.phase = Phase::Pending;
                    draft.submitted = Some(Submitted { by: by.clone(), at, expires_at });
                    draft.approval = Some(Waiting { id: approval_id.clone(), quorum, votes: vec![], expires_at });
                    draft.rejected = None;
                    draft.expired_at = None;
                });
            }
            Event::VoteCounted { consent, .. } => {
                let Consent { by, standing_in_for, reason } = consent.clone();
                self.change_draft(|draft| {
                    draft.approval.iter_mut().for_each(|approval| {
                        let (by, standing_in_for, reason) = (by.clone(), standing_in_for.clone(), reason.clone());
                        approval.votes.push(Vote { by, standing_in_for, reason, at });
                    });
                });
            }
            Event::SubmissionWithdrawn { .. } => self.change_draft(back_to_its_authors),
            Event::SubmissionExpired { .. } => {
                self.change_draft(|draft| {
                    back_to_its_authors(draft);
                    draft.expired_at = Some(at);
                });
            }
            Event::Rejected { by, standing_in_for, reason, .. } => {
                self.change_draft(|draft| {
                    back_to_its_authors(draft);
                    draft.rejected = Some(Rejected {
                        by: by.clone(),
                        standing_in_for: standing_in_for.clone(),
                        at,
                        reason: reason.clone(),
                    });
                });
            }
            Event::Approved(approved) => self.approve(approved, at),
            Event::Deprecated { by, reason, .. } => {
                self.status = Status::Deprecated;
                self.current = None;
                self.definition = None;
                self.deprecated = Some(Deprecated { by: by.clone(), at, reason: reason.clone() });
            }
            Event::DraftDiscarded { .. } => self.draft = None,
        }
    }

    fn write_draft(&mut self, drafted: &Drafted) {
        let before = self.draft.take();
        let (mut authors, rejected, expired_at) =
            before.map(|draft| (draft.authors, draft.rejected, draft.expired_at)).unwrap_or_default();
        authors.insert(drafted.by.clone());
        if self.versions.is_empty() {
            self.describe(&drafted.definition);
        }
        self.draft = Some(Draft {
            phase: Phase::Editing,
            of_version: drafted.of_version,
            definition: Arc::clone(&drafted.definition),
            content_hash: drafted.content_hash.clone(),
            authors,
            change_note: drafted.change_note.clone(),
            submitted: None,
            approval: None,
            rejected,
            expired_at,
        });
    }

    fn change_draft(&mut self, change: impl FnOnce(&mut Draft)) {
        if let Some(draft) = &mut self.draft {
            change(draft);
        }
    }

    fn approve(&mut self, approved: &Approved, at: Timestamp) {
        self.status = Status::Approved;
        self.draft = None;
        self.deprecated = None;
        self.current = Some(approved.version);
        self.definition = Some(Arc::clone(&approved.definition));
        self.describe(&approved.definition);
        self.versions.push(summary(approved, at));
    }

    fn describe(&mut self, definition: &Definition) {
        definition.name().clone_into(&mut self.name);
        definition.description().clone_into(&mut self.description);
        self.team_id = definition.team_id().cloned();
        self.tags.clone_from(definition.tags());
        self.environment = definition.environment().map(str::to_owned);
    }
}

fn back_to_its_authors(draft: &mut Draft) {
    draft.phase = Phase::Editing;
    draft.submitted = None;
    draft.approval = None;
}

fn summary(approved: &Approved, at: Timestamp) -> VersionSummary {
    VersionSummary {
        number: approved.version,
        content_hash: approved.content_hash.clone(),
        authors: approved.authors.clone(),
        approved_by: Some(approved.by.clone()),
        approved_at: at,
        self_approved: approved.self_approved,
        change_note: approved.change_note.clone(),
        consents: approved.consents.clone(),
        approval_id: Some(approved.approval_id.clone()),
    }
}

#[cfg(test)]
mod tests {
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
        if create {
            Command::Create { by, definition, change_note }
        } else {
            Command::Edit { by, definition, change_note }
        }
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
}
