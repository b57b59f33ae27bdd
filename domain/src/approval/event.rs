//! What has happened to an approval, as it is stored for decades.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::approval::state::Vote;
use crate::approval::terms::Terms;
use crate::ids::ActorId;
use crate::{StoredEvent, Upcaster};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "approval.opened")]
    Opened(Box<Opened>),
    #[serde(rename = "approval.voted")]
    Voted(Vote),
    /// As many have approved as are needed.
    #[serde(rename = "approval.approved")]
    Approved {
        content_hash: String,
        /// An author was among those who approved.
        #[serde(default)]
        self_approved: bool,
    },
    /// Somebody has rejected: one is enough.
    #[serde(rename = "approval.rejected")]
    Rejected { content_hash: String },
    #[serde(rename = "approval.withdrawn")]
    Withdrawn {
        by: ActorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Too few had decided in time.
    #[serde(rename = "approval.expired")]
    Expired { expires_at: Timestamp },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    pub by: ActorId,
    pub terms: Terms,
}

impl StoredEvent for Event {
    const NAMES: &'static [&'static str] = &[
        "approval.opened",
        "approval.voted",
        "approval.approved",
        "approval.rejected",
        "approval.withdrawn",
        "approval.expired",
    ];

    const UPCASTERS: &'static [Upcaster] = &[];

    fn name(&self) -> &'static str {
        match self {
            Self::Opened(_) => "approval.opened",
            Self::Voted(_) => "approval.voted",
            Self::Approved { .. } => "approval.approved",
            Self::Rejected { .. } => "approval.rejected",
            Self::Withdrawn { .. } => "approval.withdrawn",
            Self::Expired { .. } => "approval.expired",
        }
    }

    fn version(&self) -> u32 {
        1
    }
}

crate::cqrs::domain_event!(Event);
