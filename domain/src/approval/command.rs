//! What may be asked of an approval. Facts that this stream does not hold, who the voter is among them, stand in the
//! command.

use jiff::Timestamp;

use crate::approval::state::Verdict;
use crate::approval::terms::{Terms, Voter};
use crate::ids::ActorId;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Open {
        by: ActorId,
        terms: Box<Terms>,
    },
    Vote(Box<Cast>),
    /// What is asked for is no longer wanted, or no longer what it was.
    Withdraw {
        by: ActorId,
        reason: Option<String>,
    },
    /// From a timer, which is never cancelled: the time to decide is over. Stale, changing nothing, when it was decided
    /// or withdrawn. Expiry rejects, it never approves.
    Expire {
        expires_at: Timestamp,
        at: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Cast {
    pub voter: Voter,
    pub verdict: Verdict,
    /// Of what the voter has read.
    pub content_hash: String,
    /// Required of who rejects.
    pub reason: Option<String>,
    /// When. A vote after the end does not count, also while the timer is late.
    pub at: Timestamp,
}

impl Command {
    /// Who asks; nobody does when a timer fires.
    pub fn by(&self) -> Option<&ActorId> {
        match self {
            Self::Open { by, .. } | Self::Withdraw { by, .. } => Some(by),
            Self::Vote(cast) => Some(&cast.voter.by),
            Self::Expire { .. } => None,
        }
    }
}
