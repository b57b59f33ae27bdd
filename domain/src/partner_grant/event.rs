//! What has happened to a partner grant, as it is stored for decades. Each of these raises the grant's version.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ActorId, SubjectId};
use crate::partner_grant::scope::Scope;
use crate::{StoredEvent, Upcaster};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "partner_grant.granted")]
    Granted(Granted),
    /// Only what really changed is present.
    #[serde(rename = "partner_grant.edited")]
    Edited {
        by: ActorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        organisation: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        people: Option<BTreeSet<SubjectId>>,
    },
    #[serde(rename = "partner_grant.scope_changed")]
    ScopeChanged { by: ActorId, scope: Scope, reason: String },
    #[serde(rename = "partner_grant.renewed")]
    Renewed { by: ActorId, from: Timestamp, until: Timestamp, reason: String },
    #[serde(rename = "partner_grant.activated")]
    Activated { from: Timestamp },
    #[serde(rename = "partner_grant.suspended")]
    Suspended { by: ActorId, reason: String },
    #[serde(rename = "partner_grant.resumed")]
    Resumed { by: ActorId, reason: String },
    #[serde(rename = "partner_grant.revoked")]
    Revoked { by: ActorId, reason: String },
    #[serde(rename = "partner_grant.expired")]
    Expired { until: Timestamp },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Granted {
    pub by: ActorId,
    pub organisation: String,
    #[serde(default)]
    pub people: BTreeSet<SubjectId>,
    pub scope: Scope,
    pub from: Timestamp,
    pub until: Timestamp,
    pub reason: String,
}

impl StoredEvent for Event {
    const NAMES: &'static [&'static str] = &[
        "partner_grant.granted",
        "partner_grant.edited",
        "partner_grant.scope_changed",
        "partner_grant.renewed",
        "partner_grant.activated",
        "partner_grant.suspended",
        "partner_grant.resumed",
        "partner_grant.revoked",
        "partner_grant.expired",
    ];

    const UPCASTERS: &'static [Upcaster] = &[];

    fn name(&self) -> &'static str {
        match self {
            Self::Granted(_) => "partner_grant.granted",
            Self::Edited { .. } => "partner_grant.edited",
            Self::ScopeChanged { .. } => "partner_grant.scope_changed",
            Self::Renewed { .. } => "partner_grant.renewed",
            Self::Activated { .. } => "partner_grant.activated",
            Self::Suspended { .. } => "partner_grant.suspended",
            Self::Resumed { .. } => "partner_grant.resumed",
            Self::Revoked { .. } => "partner_grant.revoked",
            Self::Expired { .. } => "partner_grant.expired",
        }
    }

    fn version(&self) -> u32 {
        1
    }
}

crate::cqrs::domain_event!(Event);
