//! What has happened to a runbook, as it is stored for decades.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ActorId, ApprovalId};
use crate::runbook::definition::Definition;
use crate::{StoredEvent, Upcaster};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "runbook.created")]
    Created(Drafted),
    /// The first edit after an approval starts the draft of the next version.
    #[serde(rename = "runbook.draft_edited")]
    DraftEdited(Drafted),
    #[serde(rename = "runbook.draft_submitted")]
    DraftSubmitted {
        by: ActorId,
        of_version: u32,
        content_hash: String,
        /// The approval that it waits for, opened in the same append.
        approval_id: ApprovalId,
        /// How many must approve.
        quorum: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    #[serde(rename = "runbook.submission_withdrawn")]
    SubmissionWithdrawn { by: ActorId, of_version: u32, content_hash: String },
    /// Nobody decided in time: the draft goes back to its authors.
    #[serde(rename = "runbook.submission_expired")]
    SubmissionExpired { of_version: u32, content_hash: String },
    /// Somebody approved, and others must as well.
    #[serde(rename = "runbook.vote_counted")]
    VoteCounted { of_version: u32, content_hash: String, consent: Consent },
    #[serde(rename = "runbook.approved")]
    Approved(Approved),
    /// The draft goes back to its authors.
    #[serde(rename = "runbook.rejected")]
    Rejected {
        by: ActorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        standing_in_for: Option<ActorId>,
        of_version: u32,
        content_hash: String,
        reason: String,
    },
    #[serde(rename = "runbook.deprecated")]
    Deprecated {
        by: ActorId,
        version: u32,
        content_hash: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    #[serde(rename = "runbook.draft_discarded")]
    DraftDiscarded { by: ActorId, of_version: u32 },
}

/// A new content of the draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drafted {
    pub by: ActorId,
    pub of_version: u32,
    pub definition: Arc<Definition>,
    pub content_hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_note: Option<String>,
}

/// A vote that approves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub by: ActorId,
    /// In whose name, where it is not his own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_in_for: Option<ActorId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An immutable version. It carries its whole definition: who reads versions needs no other event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approved {
    /// Whose vote was the last that it needed.
    pub by: ActorId,
    pub approval_id: ApprovalId,
    /// Every vote for it, in their order.
    pub consents: Vec<Consent>,
    pub version: u32,
    pub definition: Arc<Definition>,
    pub content_hash: String,
    /// Everyone who wrote at this version.
    pub authors: BTreeSet<ActorId>,
    /// An approver was among the authors, while there was no other platform admin.
    #[serde(default)]
    pub self_approved: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_note: Option<String>,
}

impl StoredEvent for Event {
    const NAMES: &'static [&'static str] = &[
        "runbook.created",
        "runbook.draft_edited",
        "runbook.draft_submitted",
        "runbook.submission_withdrawn",
        "runbook.submission_expired",
        "runbook.vote_counted",
        "runbook.approved",
        "runbook.rejected",
        "runbook.deprecated",
        "runbook.draft_discarded",
    ];

    const UPCASTERS: &'static [Upcaster] = &[];

    fn name(&self) -> &'static str {
        match self {
            Self::Created(_) => "runbook.created",
            Self::DraftEdited(_) => "runbook.draft_edited",
            Self::DraftSubmitted { .. } => "runbook.draft_submitted",
            Self::SubmissionWithdrawn { .. } => "runbook.submission_withdrawn",
            Self::SubmissionExpired { .. } => "runbook.submission_expired",
            Self::VoteCounted { .. } => "runbook.vote_counted",
            Self::Approved(_) => "runbook.approved",
            Self::Rejected { .. } => "runbook.rejected",
            Self::Deprecated { .. } => "runbook.deprecated",
            Self::DraftDiscarded { .. } => "runbook.draft_discarded",
        }
    }

    fn version(&self) -> u32 {
        1
    }
}

crate::cqrs::domain_event!(Event);
