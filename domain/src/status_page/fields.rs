//! What a status page is described by: its audience, its components and their statuses.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{ComponentId, ServiceId};
use crate::incident::Severity;

/// For whom a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody.
    Public,
    /// Only those who have a grant that names it. What nobody chose is this one: it opens nothing.
    #[default]
    Partners,
}

impl Audience {
    pub const ALL: [Self; 2] = [Self::Public, Self::Partners];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Partners => "partners",
        }
    }
}

/// How a component is doing, in the words of Statuspage. A later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentStatus {
    #[default]
    Operational,
    UnderMaintenance,
    DegradedPerformance,
    PartialOutage,
    MajorOutage,
}

impl ComponentStatus {
    pub const ALL: [Self; 5] =
        [Self::Operational, Self::UnderMaintenance, Self::DegradedPerformance, Self::PartialOutage, Self::MajorOutage];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::UnderMaintenance => "under_maintenance",
            Self::DegradedPerformance => "degraded_performance",
            Self::PartialOutage => "partial_outage",
            Self::MajorOutage => "major_outage",
        }
    }

    /// What an open incident makes of a component that it touches.
    pub fn under(severity: Severity) -> Self {
        match severity {
            Severity::Sev1 => Self::MajorOutage,
            Severity::Sev2 => Self::PartialOutage,
            Severity::Sev3 => Self::DegradedPerformance,
            Severity::Sev4 | Severity::Sev5 => Self::Operational,
        }
    }
}

/// What was given is no status of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of operational, degraded_performance, partial_outage, major_outage, under_maintenance")]
pub struct UnknownStatus;

impl std::str::FromStr for ComponentStatus {
    type Err = UnknownStatus;

    fn from_str(name: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == name).ok_or(UnknownStatus)
    }
}

/// A status that somebody has set, whatever the incidents say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    pub status: ComponentStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A part of what a page tells about, or a heading over some of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    pub id: ComponentId,
    pub name: String,
    pub description: String,
    /// Whether it is a heading: it has no services, and its status is the worst of its members'.
    pub group: bool,
    /// The heading that it stands under.
    pub group_id: Option<ComponentId>,
    /// The services whose incidents it shows.
    pub service_ids: BTreeSet<ServiceId>,
    pub only_show_if_degraded: bool,
    /// Null while its status follows from the incidents.
    pub by_hand: Option<ByHand>,
}

/// An open incident, as far as a page knows of it. Its title is none of a page's business: what is told to outsiders is
/// written for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    pub severity: Severity,
    pub service_ids: BTreeSet<ServiceId>,
}

impl Component {
    /// Whether an incident of these services is one of this component's.
    pub fn touched_by(&self, services: &BTreeSet<ServiceId>) -> bool {
        !self.service_ids.is_disjoint(services)
    }

    /// Its own status: set by hand, or else the worst that these incidents make of it. A group's is its members'.
    pub fn status<'a>(&self, effects: impl IntoIterator<Item = &'a Effect>) -> ComponentStatus {
        if let Some(by_hand) = &self.by_hand {
            return by_hand.status;
        }
        let touching = effects.into_iter().filter(|effect| self.touched_by(&effect.service_ids));
        touching.map(|effect| ComponentStatus::under(effect.severity)).max().unwrap_or_default()
    }
}

impl AsRef<Self> for Component {
    fn as_ref(&self) -> &Self {
        self
    }
}
