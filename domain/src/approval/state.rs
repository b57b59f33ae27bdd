//! What an approval is after its events: the fold, without a single rule.

use serde::{Deserialize, Serialize};

use crate::approval::event::Event;
use crate::approval::terms::Terms;
use crate::ids::ActorId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has asked for it: the stream is empty.
    #[default]
    Unopened,
    Pending,
    Approved,
    Rejected,
    Withdrawn,
    Expired,
}

impl Status {
    /// Every status that an approval can have once it was asked for.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Approved, Self::Rejected, Self::Withdrawn, Self::Expired];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unopened => "unopened",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Approve,
    Reject,
}

impl std::str::FromStr for Verdict {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "approve" => Ok(Self::Approve),
            "reject" => Ok(Self::Reject),
            _ => Err("must be approve or reject"),
        }
    }
}

/// One vote, as it is stored too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    pub by: ActorId,
    /// In whose name, where it is not the voter's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_in_for: Option<ActorId>,
    pub verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of what the voter has read.
    pub content_hash: String,
    /// By an author: nobody else was there, or four eyes were not asked for.
    #[serde(default)]
    pub self_approved: bool,
}

impl Vote {
    /// Whose vote it is.
    pub fn of(&self) -> &ActorId {
        self.standing_in_for.as_ref().unwrap_or(&self.by)
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Approval {
    pub status: Status,
    /// Absent while the stream is empty.
    pub terms: Option<Terms>,
    /// In the order in which they were cast; never more than the quorum, and one rejection.
    pub votes: Vec<Vote>,
}

impl Approval {
    pub(super) fn fold_event(&mut self, event: &Event) {
        match event {
            Event::Opened(opened) => {
                self.status = Status::Pending;
                self.terms = Some(opened.terms.clone());
            }
            Event::Voted(vote) => self.votes.push(vote.clone()),
            Event::Approved { .. } => self.status = Status::Approved,
            Event::Rejected { .. } => self.status = Status::Rejected,
            Event::Withdrawn { .. } => self.status = Status::Withdrawn,
            Event::Expired { .. } => self.status = Status::Expired,
        }
    }
}
