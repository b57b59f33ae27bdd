//! What may be asked of an incident. Every fact from outside, time included, stands in the command.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ids::{ActorId, IncidentId, ServiceId, TeamId, UserId};
use crate::incident::fields::{CustomFields, Labels, Link, Responder, ResponderRole, Severity, Source};

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Declare(Box<Declare>),
    /// `expires_at` is the policy's: when nobody has resolved by then, the acknowledgement times out.
    Acknowledge {
        by: ActorId,
        expires_at: Option<Timestamp>,
    },
    Unacknowledge {
        by: ActorId,
    },
    /// From a timer, which is never cancelled: it names the acknowledgement that it was set for, and is stale,
    /// changing nothing, when that one is over.
    TimeOutAcknowledgement {
        number: u32,
        at: Timestamp,
    },
    /// Replaces all assignees; an empty set assigns nobody.
    Assign {
        by: ActorId,
        to: BTreeSet<UserId>,
    },
    AddResponder {
        by: ActorId,
        user: UserId,
        role: ResponderRole,
    },
    RemoveResponder {
        by: ActorId,
        user: UserId,
        role: ResponderRole,
    },
    /// After the incident is resolved this is a correction and needs a reason.
    ChangeSeverity {
        by: ActorId,
        severity: Severity,
        reason: Option<String>,
    },
    Edit {
        by: ActorId,
        changes: Box<Changes>,
    },
    AddNote {
        by: ActorId,
        text: String,
    },
    Snooze {
        by: ActorId,
        until: Timestamp,
        at: Timestamp,
    },
    /// From a timer: the snooze until exactly `until` is over. Stale when another one has taken its place.
    Wake {
        until: Timestamp,
        at: Timestamp,
    },
    Resolve {
        by: ActorId,
        resolution: Option<String>,
    },
    Reopen {
        by: ActorId,
        reason: Option<String>,
    },
    /// One half of a merge, see the module's documentation. `into_merged` is a fact of X's stream.
    MergeInto {
        by: ActorId,
        this: IncidentId,
        into: IncidentId,
        into_merged: bool,
    },
    /// The other half, on X.
    Absorb {
        by: ActorId,
        this: IncidentId,
        incident: IncidentId,
    },
    Unmerge {
        by: ActorId,
    },
    /// The other half of an unmerge, on X.
    Release {
        by: ActorId,
        incident: IncidentId,
    },
}

impl Command {
    /// Who asks; nobody does when a timer fires.
    pub fn by(&self) -> Option<&ActorId> {
        match self {
            Self::Declare(declare) => Some(&declare.by),
            Self::Acknowledge { by, .. }
            | Self::Unacknowledge { by }
            | Self::Assign { by, .. }
            | Self::AddResponder { by, .. }
            | Self::RemoveResponder { by, .. }
            | Self::ChangeSeverity { by, .. }
            | Self::Edit { by, .. }
            | Self::AddNote { by, .. }
            | Self::Snooze { by, .. }
            | Self::Resolve { by, .. }
            | Self::Reopen { by, .. }
            | Self::MergeInto { by, .. }
            | Self::Absorb { by, .. }
            | Self::Unmerge { by }
            | Self::Release { by, .. } => Some(by),
            Self::TimeOutAcknowledgement { .. } | Self::Wake { .. } => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Declare {
    pub by: ActorId,
    pub title: String,
    pub summary: String,
    pub severity: Severity,
    pub labels: Labels,
    pub service_ids: BTreeSet<ServiceId>,
    pub team_id: Option<TeamId>,
    pub source: Source,
    pub links: Vec<Link>,
    pub custom_fields: CustomFields,
    pub responders: BTreeSet<Responder>,
}

impl Declare {
    /// The least that an incident is declared with.
    pub fn new(by: ActorId, title: impl Into<String>, severity: Severity) -> Self {
        Self {
            by,
            title: title.into(),
            summary: String::new(),
            severity,
            labels: Labels::new(),
            service_ids: BTreeSet::new(),
            team_id: None,
            source: Source::default(),
            links: Vec::new(),
            custom_fields: CustomFields::new(),
            responders: BTreeSet::new(),
        }
    }
}

/// New values; a field that is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    pub title: Option<String>,
    /// An empty summary is none.
    pub summary: Option<String>,
    pub labels: Option<Labels>,
    pub service_ids: Option<BTreeSet<ServiceId>>,
    /// `Some(None)` makes the incident nobody's in particular.
    pub team_id: Option<Option<TeamId>>,
    pub links: Option<Vec<Link>>,
    pub custom_fields: Option<CustomFields>,
}
