//! Which approvals a list shows, and in which order; and those that wait for somebody's vote.

use std::collections::BTreeSet;

use domain::approval::{Eligible, Status, Subject, SubjectKind, Terms, Verdict, Vote, Voter};
use domain::ids::ActorId;
use jiff::Timestamp;
use serde::Deserialize;
use storage::StorageError;
use storage::documents::{Filter, Query, Sort, Stored, Value};

use super::{Search, Teams, one_of};
use crate::approvals::Voted;

/// All that is given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ApprovalList {
    pub teams: Teams,
    /// Any of these; any at all where there is none.
    pub statuses: Vec<Status>,
    pub kinds: Vec<SubjectKind>,
    pub subject: Option<String>,
    pub opened_by: Option<ActorId>,
    pub search: Search,
    /// What expires first where nothing is said.
    pub sort: Option<Sort>,
    pub limit: usize,
}

impl ApprovalList {
    pub const SORTS: &'static [&'static str] = &["expires_at", "created_at", "updated_at"];

    pub fn query(&self) -> Query {
        let text = |text: &str| Value::Text(text.to_owned());
        let mut filters: Vec<Filter> = self.teams.filter().into_iter().collect();
        filters.extend(one_of("status", self.statuses.iter().map(|status| status.as_str())));
        filters.extend(one_of("subject_kind", self.kinds.iter().map(|kind| kind.as_str())));
        filters.extend(self.subject.as_deref().map(|id| Filter::Is("subject_id", text(id))));
        filters.extend(self.opened_by.as_ref().map(|id| Filter::Is("opened_by", text(id.as_str()))));
        Query {
            filters,
            terms: self.search.terms.clone(),
            prefix: self.search.prefix.clone(),
            sort: self.sort.unwrap_or(Sort { column: Some("expires_at"), descending: false }),
            after: None,
            limit: self.limit,
        }
    }
}

/// Those on which somebody can vote.
#[derive(Debug, Clone, PartialEq)]
pub struct Awaiting {
    pub voter: Voter,
    /// What has expired by then waits for nobody, also while the timer is late.
    pub at: Timestamp,
}

/// All of a document that matters here.
#[derive(Deserialize)]
struct Asked {
    status: Status,
    subject: Subject,
    eligible: Eligible,
    quorum: u32,
    four_eyes: bool,
    authors: BTreeSet<ActorId>,
    expires_at: Option<Timestamp>,
    votes: Vec<Voted>,
}

impl Awaiting {
    /// Whether a document of the view waits for this voter: the approval's own rule says so.
    pub fn includes(&self, stored: &Stored) -> Result<bool, StorageError> {
        let incompatible = |error| StorageError::Incompatible(format!("the approval {}: {error}", stored.key));
        let Asked { status, subject, eligible, quorum, four_eyes, authors, expires_at, votes } =
            serde_json::from_str(&stored.body).map_err(incompatible)?;
        let over = status != Status::Pending || expires_at.is_some_and(|end| end <= self.at);
        let vote = |voted: Voted| Vote {
            by: voted.by,
            standing_in_for: voted.standing_in_for,
            verdict: Verdict::Approve,
            reason: None,
            content_hash: String::new(),
            self_approved: false,
        };
        let votes: Vec<Vote> = votes.into_iter().map(vote).collect();
        let terms = Terms { subject, eligible, quorum, four_eyes, authors, expires_at };
        Ok(!over && terms.awaits(&self.voter, &votes))
    }
}
