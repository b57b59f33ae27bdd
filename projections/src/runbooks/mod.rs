//! A runbook as it is shown, and each of its approved versions.

mod draft;
mod version;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::Aggregate;
use domain::ids::{ActorId, TeamId};
use domain::runbook::definition::Definition;
use domain::runbook::{Approved, Consent, Drafted, Event, Phase, Runbook, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use draft::back_to_its_authors;
pub use draft::{Draft, Rejected, Submitted, Vote, Waiting};
use version::summary;
pub use version::{RunbookVersion, VersionSummary};

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
pub struct Deprecated {
    pub by: ActorId,
    pub at: Timestamp,
    pub reason: Option<String>,
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

#[cfg(test)]
mod tests;
