//! What has happened to a token, as it is stored for decades.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ActorId, UserId};
use crate::roles::Grant;
use crate::{StoredEvent, Upcaster};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "api_token.minted")]
    Minted(Box<Minted>),
    #[serde(rename = "api_token.revoked")]
    Revoked {
        by: ActorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Minted {
    pub by: ActorId,
    pub token: String,
    /// In whose name it acts; nobody's is a service's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    pub name: String,
    pub grants: BTreeSet<Grant>,
    #[serde(default)]
    pub read_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl StoredEvent for Event {
    const NAMES: &'static [&'static str] = &["api_token.minted", "api_token.revoked"];

    const UPCASTERS: &'static [Upcaster] = &[];

    fn name(&self) -> &'static str {
        match self {
            Self::Minted(_) => "api_token.minted",
            Self::Revoked { .. } => "api_token.revoked",
        }
    }

    fn version(&self) -> u32 {
        1
    }
}

crate::cqrs::domain_event!(Event);
