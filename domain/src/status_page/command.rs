//! What may be asked of a status page.

use std::collections::BTreeSet;

use crate::ids::{ActorId, ComponentId, IncidentId, ServiceId, TeamId};
use crate::incident::Severity;
use crate::status_page::fields::{Audience, ComponentStatus};

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// The slug must have been reserved in the same append, see [`crate::status_page_slug`].
    Create(Box<Create>),
    Edit {
        by: ActorId,
        changes: Box<Changes>,
    },
    AddComponent(Box<AddComponent>),
    EditComponent {
        by: ActorId,
        component: ComponentId,
        changes: Box<ComponentChanges>,
    },
    /// To `position` (from 1) among those under `group_id`, or among those under none.
    MoveComponent {
        by: ActorId,
        component: ComponentId,
        group_id: Option<ComponentId>,
        position: u32,
    },
    RemoveComponent {
        by: ActorId,
        component: ComponentId,
    },
    /// Whatever the incidents say, until it is given back.
    SetStatus {
        by: ActorId,
        component: ComponentId,
        status: ComponentStatus,
        reason: Option<String>,
    },
    /// Gives the status back to the incidents.
    ReleaseStatus {
        by: ActorId,
        component: ComponentId,
    },
    /// A fact of the incident's stream: it is open, so bad, and of these services. Whoever tells it guards it by an
    /// expectation there.
    NoteIncident {
        incident: IncidentId,
        severity: Severity,
        service_ids: BTreeSet<ServiceId>,
    },
    /// The incident is over, or it is none of this page's any more.
    ClearIncident {
        incident: IncidentId,
    },
    Archive {
        by: ActorId,
        reason: Option<String>,
    },
}

impl Command {
    /// Who asks; nobody does when an incident is followed.
    pub fn by(&self) -> Option<&ActorId> {
        match self {
            Self::Create(create) => Some(&create.by),
            Self::AddComponent(add) => Some(&add.by),
            Self::Edit { by, .. }
            | Self::EditComponent { by, .. }
            | Self::MoveComponent { by, .. }
            | Self::RemoveComponent { by, .. }
            | Self::SetStatus { by, .. }
            | Self::ReleaseStatus { by, .. }
            | Self::Archive { by, .. } => Some(by),
            Self::NoteIncident { .. } | Self::ClearIncident { .. } => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Create {
    pub by: ActorId,
    pub slug: String,
    pub name: String,
    pub description: String,
    /// An IANA name.
    pub time_zone: String,
    pub audience: Audience,
    pub team_id: Option<TeamId>,
}

/// New values; a field that is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    pub slug: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub time_zone: Option<String>,
    pub audience: Option<Audience>,
    /// `Some(None)` takes the page from its team.
    pub team_id: Option<Option<TeamId>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AddComponent {
    pub by: ActorId,
    /// New, and never used before.
    pub id: ComponentId,
    pub name: String,
    pub description: String,
    pub group: bool,
    pub group_id: Option<ComponentId>,
    pub service_ids: BTreeSet<ServiceId>,
    pub only_show_if_degraded: bool,
    /// Among those under the same heading, from 1; behind them where it is absent.
    pub position: Option<u32>,
}

/// New values; a field that is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComponentChanges {
    pub name: Option<String>,
    pub description: Option<String>,
    pub service_ids: Option<BTreeSet<ServiceId>>,
    pub only_show_if_degraded: Option<bool>,
}
