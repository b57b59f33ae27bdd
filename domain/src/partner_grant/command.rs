//! What may be asked of a partner grant. The time stands in the command.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ids::{ActorId, SubjectId};
use crate::partner_grant::scope::Scope;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// That the pages and components of its scope are there is a fact of their streams; whoever asks guards it.
    Grant(Box<Grant>),
    /// Whose it is; what is `None` stays as it is.
    Edit {
        by: ActorId,
        organisation: Option<String>,
        people: Option<BTreeSet<SubjectId>>,
    },
    /// Replaces the whole scope.
    ChangeScope {
        by: ActorId,
        scope: Scope,
        reason: String,
    },
    /// A new time box, also for what has expired.
    Renew {
        by: ActorId,
        from: Timestamp,
        until: Timestamp,
        reason: String,
        at: Timestamp,
    },
    Suspend {
        by: ActorId,
        reason: String,
    },
    Resume {
        by: ActorId,
        reason: String,
        at: Timestamp,
    },
    /// For good.
    Revoke {
        by: ActorId,
        reason: String,
    },
    /// From a timer, which is never cancelled: the time box that begins at exactly `from` has begun. Stale when another
    /// one has taken its place, or the grant is not pending any more.
    Activate {
        from: Timestamp,
        at: Timestamp,
    },
    /// From a timer: the time box that ends at exactly `until` is over.
    Expire {
        until: Timestamp,
        at: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    pub by: ActorId,
    pub organisation: String,
    pub people: BTreeSet<SubjectId>,
    pub scope: Scope,
    pub from: Timestamp,
    pub until: Timestamp,
    pub reason: String,
    pub at: Timestamp,
}

impl Command {
    /// Who asks; nobody does when a timer fires.
    pub fn by(&self) -> Option<&ActorId> {
        match self {
            Self::Grant(grant) => Some(&grant.by),
            Self::Edit { by, .. }
            | Self::ChangeScope { by, .. }
            | Self::Renew { by, .. }
            | Self::Suspend { by, .. }
            | Self::Resume { by, .. }
            | Self::Revoke { by, .. } => Some(by),
            Self::Activate { .. } | Self::Expire { .. } => None,
        }
    }
}
