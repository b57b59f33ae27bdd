//! What has happened to a person's account, as it is stored for decades. What says who he is, is sealed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ActorId, UserId};
use crate::roles::Grant;
use crate::sealed::Sealed;
use crate::user::state::{Origin, PasswordBy};
use crate::{StoredEvent, Upcaster};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "user.created")]
    Created(Box<Created>),
    #[serde(rename = "user.profile_changed")]
    ProfileChanged {
        by: ActorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Sealed>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<Sealed>,
    },
    #[serde(rename = "user.role_granted")]
    RoleGranted { by: ActorId, grant: Grant },
    #[serde(rename = "user.role_revoked")]
    RoleRevoked { by: ActorId, grant: Grant },
    #[serde(rename = "user.deactivated")]
    Deactivated {
        by: ActorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    #[serde(rename = "user.reactivated")]
    Reactivated { by: ActorId },
    /// A one-time link was made by which he chooses a password.
    #[serde(rename = "user.invited")]
    Invited { by: ActorId },
    #[serde(rename = "user.password_set")]
    PasswordSet { by: ActorId, how: PasswordBy },
    #[serde(rename = "user.provider_linked")]
    ProviderLinked { by: ActorId, provider: String, link: String },
    #[serde(rename = "user.provider_unlinked")]
    ProviderUnlinked { by: ActorId, provider: String },
    #[serde(rename = "user.delegated")]
    Delegated { by: ActorId, to: UserId, from: Timestamp, until: Timestamp },
    #[serde(rename = "user.delegation_ended")]
    DelegationEnded { by: ActorId, to: UserId },
    #[serde(rename = "user.erased")]
    Erased {
        by: ActorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Created {
    pub by: ActorId,
    pub user: UserId,
    pub name: Sealed,
    pub email: Sealed,
    pub grants: BTreeSet<Grant>,
    pub origin: Origin,
}

impl StoredEvent for Event {
    const NAMES: &'static [&'static str] = &[
        "user.created",
        "user.profile_changed",
        "user.role_granted",
        "user.role_revoked",
        "user.deactivated",
        "user.reactivated",
        "user.invited",
        "user.password_set",
        "user.provider_linked",
        "user.provider_unlinked",
        "user.delegated",
        "user.delegation_ended",
        "user.erased",
    ];

    const UPCASTERS: &'static [Upcaster] = &[];

    fn name(&self) -> &'static str {
        match self {
            Self::Created(_) => "user.created",
            Self::ProfileChanged { .. } => "user.profile_changed",
            Self::RoleGranted { .. } => "user.role_granted",
            Self::RoleRevoked { .. } => "user.role_revoked",
            Self::Deactivated { .. } => "user.deactivated",
            Self::Reactivated { .. } => "user.reactivated",
            Self::Invited { .. } => "user.invited",
            Self::PasswordSet { .. } => "user.password_set",
            Self::ProviderLinked { .. } => "user.provider_linked",
            Self::ProviderUnlinked { .. } => "user.provider_unlinked",
            Self::Delegated { .. } => "user.delegated",
            Self::DelegationEnded { .. } => "user.delegation_ended",
            Self::Erased { .. } => "user.erased",
        }
    }

    fn version(&self) -> u32 {
        1
    }
}

crate::cqrs::domain_event!(Event);
