//! What may be asked of a runbook. Facts that this stream does not hold stand in the command.

use jiff::Timestamp;

use crate::ids::{ActorId, ApprovalId};
use crate::runbook::definition::Definition;
use crate::runbook::event::Consent;

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
    /// Asks for an approval, which is opened beside it. Too few votes by `expires_at` is a rejection: a timer then sends
    /// the draft back to its authors.
    Submit {
        by: ActorId,
        approval_id: ApprovalId,
        quorum: u32,
        expires_at: Option<Timestamp>,
    },
    WithdrawSubmission {
        by: ActorId,
    },
    /// What has become of the approval that the draft waits for. Whether somebody may vote, and how many votes are
    /// enough, is decided there; these carry it out in the same append.
    ExpireSubmission {
        approval_id: ApprovalId,
    },
    CountVote {
        approval_id: ApprovalId,
        consent: Consent,
    },
    Approve {
        approval_id: ApprovalId,
        consent: Consent,
    },
    Reject {
        approval_id: ApprovalId,
        by: ActorId,
        standing_in_for: Option<ActorId>,
        reason: String,
    },
    /// `another_platform_admin` is a fact of other streams; where the race matters, the caller guards it by an
    /// expectation on the stream that holds it.
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
            | Self::Reject { by, .. }
            | Self::Deprecate { by, .. }
            | Self::DiscardDraft { by } => Some(by),
            Self::CountVote { consent, .. } | Self::Approve { consent, .. } => Some(&consent.by),
            Self::ExpireSubmission { .. } => None,
        }
    }
}
