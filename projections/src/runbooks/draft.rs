//! What is being written, and what it waits for.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::ids::{ActorId, ApprovalId};
use domain::runbook::Phase;
use domain::runbook::definition::Definition;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

pub(super) fn back_to_its_authors(draft: &mut Draft) {
    draft.phase = Phase::Editing;
    draft.submitted = None;
    draft.approval = None;
}
