//! What has happened to a status page, as it is stored for decades.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::{ActorId, ComponentId, IncidentId, ServiceId, TeamId};
use crate::incident::Severity;
use crate::status_page::fields::{Audience, ComponentStatus};
use crate::{StoredEvent, Upcaster};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "status_page.created")]
    Created(Created),
    #[serde(rename = "status_page.edited")]
    Edited(Edited),
    #[serde(rename = "status_page.component_added")]
    ComponentAdded(ComponentAdded),
    #[serde(rename = "status_page.component_edited")]
    ComponentEdited(ComponentEdited),
    #[serde(rename = "status_page.component_moved")]
    ComponentMoved { by: ActorId, component: ComponentId, group_id: Option<ComponentId>, position: u32 },
    #[serde(rename = "status_page.component_removed")]
    ComponentRemoved { by: ActorId, component: ComponentId },
    #[serde(rename = "status_page.component_status_set")]
    StatusSet {
        by: ActorId,
        component: ComponentId,
        status: ComponentStatus,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// From now on it follows from the incidents again.
    #[serde(rename = "status_page.component_status_released")]
    StatusReleased { by: ActorId, component: ComponentId },
    /// It is open, so bad, and of these services; as long as nothing else is said.
    #[serde(rename = "status_page.incident_noted")]
    IncidentNoted { incident: IncidentId, severity: Severity, service_ids: BTreeSet<ServiceId> },
    #[serde(rename = "status_page.incident_cleared")]
    IncidentCleared { incident: IncidentId },
    #[serde(rename = "status_page.archived")]
    Archived {
        by: ActorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Created {
    pub by: ActorId,
    pub slug: String,
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub time_zone: String,
    pub audience: Audience,
    #[serde(default)]
    pub team_id: Option<TeamId>,
}

/// Only what really changed is present.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edited {
    pub by: ActorId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
    /// Absent: unchanged. Null: belongs to no team any more.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub team_id: Option<Option<TeamId>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComponentAdded {
    pub by: ActorId,
    pub component: ComponentId,
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub group: bool,
    #[serde(default)]
    pub group_id: Option<ComponentId>,
    #[serde(default)]
    pub service_ids: BTreeSet<ServiceId>,
    #[serde(default)]
    pub only_show_if_degraded: bool,
    /// Among those under the same heading, from 1.
    pub position: u32,
}

/// Only what really changed is present.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComponentEdited {
    pub by: ActorId,
    pub component: ComponentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_ids: Option<BTreeSet<ServiceId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_show_if_degraded: Option<bool>,
}

/// A field that is there, null included: serde alone would read a null as absence.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl StoredEvent for Event {
    const NAMES: &'static [&'static str] = &[
        "status_page.created",
        "status_page.edited",
        "status_page.component_added",
        "status_page.component_edited",
        "status_page.component_moved",
        "status_page.component_removed",
        "status_page.component_status_set",
        "status_page.component_status_released",
        "status_page.incident_noted",
        "status_page.incident_cleared",
        "status_page.archived",
    ];

    const UPCASTERS: &'static [Upcaster] = &[];

    fn name(&self) -> &'static str {
        match self {
            Self::Created(_) => "status_page.created",
            Self::Edited(_) => "status_page.edited",
            Self::ComponentAdded(_) => "status_page.component_added",
            Self::ComponentEdited(_) => "status_page.component_edited",
            Self::ComponentMoved { .. } => "status_page.component_moved",
            Self::ComponentRemoved { .. } => "status_page.component_removed",
            Self::StatusSet { .. } => "status_page.component_status_set",
            Self::StatusReleased { .. } => "status_page.component_status_released",
            Self::IncidentNoted { .. } => "status_page.incident_noted",
            Self::IncidentCleared { .. } => "status_page.incident_cleared",
            Self::Archived { .. } => "status_page.archived",
        }
    }

    fn version(&self) -> u32 {
        1
    }
}

crate::cqrs::domain_event!(Event);
