//! Approved versions: each its own document, and in short beside the others of its runbook.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::Aggregate;
use domain::ids::{ActorId, ApprovalId};
use domain::runbook::definition::Definition;
use domain::runbook::{Approved, Consent, Event, Runbook};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::view::{Column, Origin, Value, integer, text};
use crate::{Decoded, View};

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

pub(super) fn summary(approved: &Approved, at: Timestamp) -> VersionSummary {
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
