//! What may be asked of a runbook. Facts that this stream does not hold stand in the command.

use jiff::Timestamp;

use crate::ids::ActorId;
use crate::runbook::definition::Definition;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Makes a runbook with its first draft.
    Create {
        by: ActorId,
        definition: Definition,
        change_note: Option<String>,
    },
    /// Replaces the draft, or starts one. A pending draft is withdrawn by it.
    Edit {
        by: ActorId,
        definition: Definition,
        change_note: Option<String>,
    },
    /// Who has not decided by `expires_at` has rejected: a timer then sends the draft back to its authors.
    Submit {
        by: ActorId,
        expires_at: Option<Timestamp>,
    },
    /// From a timer, which is never cancelled: the time to decide on exactly this submission is over. Stale, changing
    /// nothing, when it was decided or withdrawn, or another one has taken its place. Expiry rejects, it never approves.
    ExpireSubmission {
        content_hash: String,
        expires_at: Timestamp,
        at: Timestamp,
    },
    WithdrawSubmission {
        by: ActorId,
    },
    /// `content_hash` is of what the approver has read. `another_platform_admin` is a fact of other streams; where
    /// the race matters, the caller guards it by an expectation on the stream that holds it.
    Approve {
        by: ActorId,
        content_hash: String,
        another_platform_admin: bool,
        reason: Option<String>,
    },
    Reject {
        by: ActorId,
        content_hash: String,
        another_platform_admin: bool,
        reason: String,
    },
    Deprecate {
        by: ActorId,
        another_platform_admin: bool,
        reason: Option<String>,
    },
    DiscardDraft {
        by: ActorId,
    },
}

impl Command {
    /// Who asks; nobody does when a timer fires.
    pub fn by(&self) -> Option<&ActorId> {
        match self {
            Self::Create { by, .. }
            | Self::Edit { by, .. }
            | Self::Submit { by, .. }
            | Self::WithdrawSubmission { by }
            | Self::Approve { by, .. }
            | Self::Reject { by, .. }
            | Self::Deprecate { by, .. }
            | Self::DiscardDraft { by } => Some(by),
            Self::ExpireSubmission { .. } => None,
        }
    }
}
