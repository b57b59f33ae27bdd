//! What a runbook is after its events: the fold, without a single rule.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ActorId, ApprovalId};
use crate::runbook::definition::Definition;
use crate::runbook::event::{Approved, Consent, Drafted, Event};

/// As it is shown to people and programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Nothing was ever approved.
    #[default]
    Draft,
    /// A version is current and may be executed.
    Approved,
    /// Nothing may be executed; a new draft may revive it through a new approval.
    Deprecated,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Draft, Self::Approved, Self::Deprecated];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Approved => "APPROVED",
            Self::Deprecated => "DEPRECATED",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Runbook {
    /// Absent while the stream is empty.
    pub created_by: Option<ActorId>,
    pub status: Status,
    pub draft: Option<Draft>,
    /// The definition of the last version, the only one that can be current.
    pub definition: Option<Arc<Definition>>,
    /// Every approved version, by rising number, without its definition: that stands in its event.
    pub versions: Vec<Version>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    pub phase: Phase,
    pub definition: Arc<Definition>,
    pub content_hash: String,
    /// Everyone who wrote at it since the last version: none of them approves it.
    pub authors: BTreeSet<ActorId>,
    pub change_note: Option<String>,
    /// What it waits for while it is pending.
    pub submission: Option<Submission>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    pub approval_id: ApprovalId,
    pub quorum: u32,
    /// Without it, it waits for ever.
    pub expires_at: Option<Timestamp>,
    /// Who has approved so far.
    pub consents: Vec<Consent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Editing,
    /// Submitted, waiting for an approval.
    Pending,
}

impl Phase {
    pub const ALL: [Self; 2] = [Self::Editing, Self::Pending];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Editing => "editing",
            Self::Pending => "pending",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub number: u32,
    pub content_hash: String,
    pub authors: BTreeSet<ActorId>,
    pub approved_by: ActorId,
    pub self_approved: bool,
}

impl Runbook {
    /// The number that the draft gets when it is approved.
    pub fn next_version(&self) -> u32 {
        self.versions.last().map_or(1, |version| version.number + 1)
    }

    /// What may be executed now: the current approved version and its definition.
    pub fn executable(&self) -> Option<(&Version, &Arc<Definition>)> {
        if self.status != Status::Approved {
            return None;
        }
        self.versions.last().zip(self.definition.as_ref())
    }

    /// Created once, discarded before anything was approved: nothing is left of it.
    pub fn is_discarded(&self) -> bool {
        self.created_by.is_some() && self.draft.is_none() && self.versions.is_empty()
    }

    /// What a pending draft waits for.
    pub fn submission(&self) -> Option<&Submission> {
        self.draft.as_ref()?.submission.as_ref()
    }

    pub(super) fn fold_event(&mut self, event: &Event) {
        match event {
            Event::Created(drafted) => {
                self.created_by = Some(drafted.by.clone());
                self.write_draft(drafted);
            }
            Event::DraftEdited(drafted) => self.write_draft(drafted),
            Event::DraftSubmitted { approval_id, quorum, expires_at, .. } => {
                let (approval_id, quorum, expires_at) = (approval_id.clone(), *quorum, *expires_at);
                self.set_phase(Phase::Pending, Some(Submission { approval_id, quorum, expires_at, consents: vec![] }));
            }
            Event::VoteCounted { consent, .. } => {
                if let Some(submission) = self.draft.as_mut().and_then(|draft| draft.submission.as_mut()) {
                    submission.consents.push(consent.clone());
                }
            }
            Event::SubmissionWithdrawn { .. } | Event::SubmissionExpired { .. } | Event::Rejected { .. } => {
                self.set_phase(Phase::Editing, None);
            }
            Event::Approved(approved) => self.approve(approved),
            Event::Deprecated { .. } => self.status = Status::Deprecated,
            Event::DraftDiscarded { .. } => self.draft = None,
        }
    }

    fn write_draft(&mut self, drafted: &Drafted) {
        let mut authors = self.draft.take().map(|draft| draft.authors).unwrap_or_default();
        authors.insert(drafted.by.clone());
        self.draft = Some(Draft {
            phase: Phase::Editing,
            definition: Arc::clone(&drafted.definition),
            content_hash: drafted.content_hash.clone(),
            authors,
            change_note: drafted.change_note.clone(),
            submission: None,
        });
    }

    fn set_phase(&mut self, phase: Phase, submission: Option<Submission>) {
        if let Some(draft) = &mut self.draft {
            draft.phase = phase;
            draft.submission = submission;
        }
    }

    fn approve(&mut self, approved: &Approved) {
        self.status = Status::Approved;
        self.draft = None;
        self.definition = Some(Arc::clone(&approved.definition));
        self.versions.push(Version {
            number: approved.version,
            content_hash: approved.content_hash.clone(),
            authors: approved.authors.clone(),
            approved_by: approved.by.clone(),
            self_approved: approved.self_approved,
        });
    }
}
