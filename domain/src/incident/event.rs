//! What has happened to an incident, as it is stored for decades.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::{ActorId, IncidentId, ServiceId, TeamId, UserId};
use crate::incident::fields::{CustomFields, Labels, Link, Responder, ResponderRole, Severity, Source};
use crate::{StoredEvent, Upcaster};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "incident.declared")]
    Declared(Box<Declared>),
    /// `number` counts the times that the incident left "open" by being taken on; timers refer to it.
    #[serde(rename = "incident.acknowledged")]
    Acknowledged {
        by: ActorId,
        number: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// By a person, or, where `by` is absent, because nobody resolved it in time.
    #[serde(rename = "incident.unacknowledged")]
    Unacknowledged {
        number: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<ActorId>,
    },
    #[serde(rename = "incident.assigned")]
    Assigned { by: ActorId, to: BTreeSet<UserId> },
    #[serde(rename = "incident.responder_added")]
    ResponderAdded { by: ActorId, user: UserId, role: ResponderRole },
    #[serde(rename = "incident.responder_removed")]
    ResponderRemoved { by: ActorId, user: UserId, role: ResponderRole },
    /// `correction` says that the incident was resolved already.
    #[serde(rename = "incident.severity_changed")]
    SeverityChanged {
        by: ActorId,
        from: Severity,
        to: Severity,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        #[serde(default)]
        correction: bool,
    },
    #[serde(rename = "incident.edited")]
    Edited(Box<Edited>),
    #[serde(rename = "incident.note_added")]
    NoteAdded { by: ActorId, text: String },
    #[serde(rename = "incident.snoozed")]
    Snoozed { by: ActorId, number: u32, until: Timestamp },
    #[serde(rename = "incident.woken")]
    Woken { until: Timestamp },
    #[serde(rename = "incident.resolved")]
    Resolved {
        by: ActorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resolution: Option<String>,
    },
    #[serde(rename = "incident.reopened")]
    Reopened {
        by: ActorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    #[serde(rename = "incident.merged_into")]
    MergedInto { by: ActorId, into: IncidentId },
    #[serde(rename = "incident.absorbed")]
    Absorbed { by: ActorId, incident: IncidentId },
    #[serde(rename = "incident.unmerged")]
    Unmerged { by: ActorId, from: IncidentId },
    #[serde(rename = "incident.released")]
    Released { by: ActorId, incident: IncidentId },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    pub by: ActorId,
    pub title: String,
    #[serde(default)]
    pub summary: String,
    pub severity: Severity,
    #[serde(default)]
    pub labels: Labels,
    #[serde(default)]
    pub service_ids: BTreeSet<ServiceId>,
    #[serde(default)]
    pub team_id: Option<TeamId>,
    #[serde(default)]
    pub source: Source,
    #[serde(default)]
    pub links: Vec<Link>,
    #[serde(default)]
    pub custom_fields: CustomFields,
    #[serde(default)]
    pub responders: BTreeSet<Responder>,
}

/// Only what really changed is present.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edited {
    pub by: ActorId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_ids: Option<BTreeSet<ServiceId>>,
    /// Absent: unchanged. Null: belongs to no team any more.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub team_id: Option<Option<TeamId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Vec<Link>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_fields: Option<CustomFields>,
}

/// A field that is there, null included: serde alone would read a null as absence.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl StoredEvent for Event {
    const NAMES: &'static [&'static str] = &[
        "incident.declared",
        "incident.acknowledged",
        "incident.unacknowledged",
        "incident.assigned",
        "incident.responder_added",
        "incident.responder_removed",
        "incident.severity_changed",
        "incident.edited",
        "incident.note_added",
        "incident.snoozed",
        "incident.woken",
        "incident.resolved",
        "incident.reopened",
        "incident.merged_into",
        "incident.absorbed",
        "incident.unmerged",
        "incident.released",
    ];

    const UPCASTERS: &'static [Upcaster] = &[];

    fn name(&self) -> &'static str {
        match self {
            Self::Declared(_) => "incident.declared",
            Self::Acknowledged { .. } => "incident.acknowledged",
            Self::Unacknowledged { .. } => "incident.unacknowledged",
            Self::Assigned { .. } => "incident.assigned",
            Self::ResponderAdded { .. } => "incident.responder_added",
            Self::ResponderRemoved { .. } => "incident.responder_removed",
            Self::SeverityChanged { .. } => "incident.severity_changed",
            Self::Edited(_) => "incident.edited",
            Self::NoteAdded { .. } => "incident.note_added",
            Self::Snoozed { .. } => "incident.snoozed",
            Self::Woken { .. } => "incident.woken",
            Self::Resolved { .. } => "incident.resolved",
            Self::Reopened { .. } => "incident.reopened",
            Self::MergedInto { .. } => "incident.merged_into",
            Self::Absorbed { .. } => "incident.absorbed",
            Self::Unmerged { .. } => "incident.unmerged",
            Self::Released { .. } => "incident.released",
        }
    }

    fn version(&self) -> u32 {
        1
    }
}

crate::cqrs::domain_event!(Event);
