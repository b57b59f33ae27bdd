//! What has happened to a team, as it is stored for decades.

use serde::{Deserialize, Serialize};

use crate::ids::{ActorId, TeamId};
use crate::{StoredEvent, Upcaster};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "team.created")]
    Created { by: ActorId, team: TeamId, name: String, description: String },
    #[serde(rename = "team.edited")]
    Edited {
        by: ActorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    #[serde(rename = "team.archived")]
    Archived { by: ActorId },
    #[serde(rename = "team.restored")]
    Restored { by: ActorId },
}

impl StoredEvent for Event {
    const NAMES: &'static [&'static str] = &["team.created", "team.edited", "team.archived", "team.restored"];

    const UPCASTERS: &'static [Upcaster] = &[];

    fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "team.created",
            Self::Edited { .. } => "team.edited",
            Self::Archived { .. } => "team.archived",
            Self::Restored { .. } => "team.restored",
        }
    }

    fn version(&self) -> u32 {
        1
    }
}

crate::cqrs::domain_event!(Event);
