//! What an incident is after its events: the fold, without a single rule.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ActorId, IncidentId, ServiceId, TeamId, UserId};
use crate::incident::event::{Declared, Edited, Event};
use crate::incident::fields::{CustomFields, Labels, Link, Responder, Severity, Source};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has declared it: the stream is empty.
    #[default]
    Undeclared,
    Open,
    Acknowledged,
    Resolved,
    Merged,
}

impl Status {
    /// Every status that a declared incident can have.
    pub const ALL: [Self; 4] = [Self::Open, Self::Acknowledged, Self::Resolved, Self::Merged];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undeclared => "undeclared",
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Merged => "merged",
        }
    }
}

/// An incident. Notes are not part of it: no decision reads them, so they stay in the log and in the timeline.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Incident {
    pub status: Status,
    pub title: String,
    pub summary: String,
    pub severity: Severity,
    pub labels: Labels,
    pub service_ids: BTreeSet<ServiceId>,
    pub team_id: Option<TeamId>,
    pub source: Source,
    pub links: Vec<Link>,
    pub custom_fields: CustomFields,
    pub assignees: BTreeSet<UserId>,
    pub responders: BTreeSet<Responder>,
    pub acknowledgement: Acknowledgement,
    pub snoozed_until: Option<Timestamp>,
    pub merged_into: Option<IncidentId>,
    pub absorbed: BTreeSet<IncidentId>,
}

/// The time since the incident was last taken on. `number` outlives it, so that a late timer finds itself stale.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Acknowledgement {
    pub number: u32,
    pub by: BTreeSet<ActorId>,
    pub expires_at: Option<Timestamp>,
}

impl Incident {
    pub(super) fn fold_event(&mut self, event: &Event) {
        match event {
            Event::Declared(declared) => self.declare(declared),
            Event::Acknowledged { by, number, expires_at } => {
                if self.acknowledgement.number != *number {
                    self.acknowledgement =
                        Acknowledgement { number: *number, by: BTreeSet::new(), expires_at: *expires_at };
                }
                self.acknowledgement.by.insert(by.clone());
                self.status = Status::Acknowledged;
            }
            Event::Snoozed { by, number, until } => {
                self.acknowledgement.number = *number;
                self.acknowledgement.expires_at = None;
                self.acknowledgement.by.insert(by.clone());
                self.snoozed_until = Some(*until);
                self.status = Status::Acknowledged;
            }
            Event::Unacknowledged { .. } | Event::Woken { .. } | Event::Reopened { .. } => self.leave_for(Status::Open),
            Event::Resolved { .. } => self.leave_for(Status::Resolved),
            Event::MergedInto { into, .. } => {
                self.leave_for(Status::Merged);
                self.merged_into = Some(into.clone());
            }
            Event::Unmerged { .. } => {
                self.leave_for(Status::Open);
                self.merged_into = None;
            }
            Event::Absorbed { incident, .. } => {
                self.absorbed.insert(incident.clone());
            }
            Event::Released { incident, .. } => {
                self.absorbed.remove(incident);
            }
            Event::Assigned { to, .. } => self.assignees.clone_from(to),
            Event::ResponderAdded { user, role, .. } => {
                self.responders.insert(Responder { user: user.clone(), role: role.clone() });
            }
            Event::ResponderRemoved { user, role, .. } => {
                self.responders.remove(&Responder { user: user.clone(), role: role.clone() });
            }
            Event::SeverityChanged { to, .. } => self.severity = *to,
            Event::Edited(edited) => self.edit(edited),
            Event::NoteAdded { .. } => {}
        }
    }

    /// Whoever had taken it on has not any more.
    fn leave_for(&mut self, status: Status) {
        self.status = status;
        self.acknowledgement.by.clear();
        self.acknowledgement.expires_at = None;
        self.snoozed_until = None;
    }

    fn declare(&mut self, declared: &Declared) {
        let Declared {
            by: _,
            title,
            summary,
            severity,
            labels,
            service_ids,
            team_id,
            source,
            links,
            custom_fields,
            responders,
        } = declared.clone();
        self.status = Status::Open;
        self.title = title;
        self.summary = summary;
        self.severity = severity;
        self.labels = labels;
        self.service_ids = service_ids;
        self.team_id = team_id;
        self.source = source;
        self.links = links;
        self.custom_fields = custom_fields;
        self.responders = responders;
    }

    fn edit(&mut self, edited: &Edited) {
        let Edited { by: _, title, summary, labels, service_ids, team_id, links, custom_fields } = edited.clone();
        replace(&mut self.title, title);
        replace(&mut self.summary, summary);
        replace(&mut self.labels, labels);
        replace(&mut self.service_ids, service_ids);
        replace(&mut self.team_id, team_id);
        replace(&mut self.links, links);
        replace(&mut self.custom_fields, custom_fields);
    }
}

fn replace<T>(field: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *field = new;
    }
}
