//! What may be asked of a person's account.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ids::{ActorId, UserId};
use crate::roles::Grant;
use crate::sealed::Sealed;
use crate::user::state::{Origin, PasswordBy};

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Create {
        by: ActorId,
        user: UserId,
        name: Sealed,
        email: Sealed,
        grants: BTreeSet<Grant>,
        origin: Origin,
    },
    /// What is absent stays.
    ChangeProfile {
        by: ActorId,
        name: Option<Sealed>,
        email: Option<Sealed>,
    },
    GrantRole {
        by: ActorId,
        grant: Grant,
    },
    RevokeRole {
        by: ActorId,
        grant: Grant,
    },
    /// He can no longer sign in, and whoever acts for him ceases to.
    Deactivate {
        by: ActorId,
        reason: Option<String>,
    },
    Reactivate {
        by: ActorId,
    },
    /// The link itself is a register that stands after this is told.
    Invite {
        by: ActorId,
    },
    /// The password itself is a register that stands before this is told.
    SetPassword {
        by: ActorId,
        how: PasswordBy,
    },
    /// He may sign in through this provider from now on; `link` is a blind hash of who he is there.
    LinkProvider {
        by: ActorId,
        provider: String,
        link: String,
    },
    UnlinkProvider {
        by: ActorId,
        provider: String,
    },
    /// Somebody else may give his approvals for a time. `active` is a fact of that person's stream.
    Delegate {
        by: ActorId,
        to: UserId,
        active: bool,
        from: Timestamp,
        until: Timestamp,
        at: Timestamp,
    },
    EndDelegation {
        by: ActorId,
    },
    /// For good: his keys are destroyed after this is told.
    Erase {
        by: ActorId,
        reason: Option<String>,
    },
}

impl Command {
    pub fn by(&self) -> &ActorId {
        match self {
            Self::Create { by, .. }
            | Self::ChangeProfile { by, .. }
            | Self::GrantRole { by, .. }
            | Self::RevokeRole { by, .. }
            | Self::Deactivate { by, .. }
            | Self::Reactivate { by }
            | Self::Invite { by }
            | Self::SetPassword { by, .. }
            | Self::LinkProvider { by, .. }
            | Self::UnlinkProvider { by, .. }
            | Self::Delegate { by, .. }
            | Self::EndDelegation { by }
            | Self::Erase { by, .. } => by,
        }
    }
}
