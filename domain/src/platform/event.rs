//! What has happened to the platform as a whole, as it is stored for decades.

use serde::{Deserialize, Serialize};

use crate::ids::ActorId;
use crate::platform::AdminKind;
use crate::{StoredEvent, Upcaster};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "platform.set_up")]
    SetUp { by: ActorId },
    #[serde(rename = "platform.admin_added")]
    AdminAdded { by: ActorId, admin: ActorId, kind: AdminKind },
    #[serde(rename = "platform.admin_removed")]
    AdminRemoved { by: ActorId, admin: ActorId },
}

impl StoredEvent for Event {
    const NAMES: &'static [&'static str] = &["platform.set_up", "platform.admin_added", "platform.admin_removed"];

    const UPCASTERS: &'static [Upcaster] = &[];

    fn name(&self) -> &'static str {
        match self {
            Self::SetUp { .. } => "platform.set_up",
            Self::AdminAdded { .. } => "platform.admin_added",
            Self::AdminRemoved { .. } => "platform.admin_removed",
        }
    }

    fn version(&self) -> u32 {
        1
    }
}

crate::cqrs::domain_event!(Event);
