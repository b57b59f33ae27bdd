//! An incident as it is shown: its present state, and when what last happened to it.

use std::collections::BTreeSet;

use domain::Aggregate;
use domain::ids::{ActorId, IncidentId, ServiceId, TeamId, UserId};
use domain::incident::event::{Declared, Edited, Event};
use domain::incident::{CustomFields, Incident, Labels, Link, Responder, Severity, Source, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::terms::{facet, words};
use crate::view::{Column, Origin, Value, integer, moment, optional, text};
use crate::{Decoded, View};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct IncidentDetail {
    pub id: String,
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
    /// Null while nobody has taken it on.
    pub acknowledgement: Option<Acknowledgement>,
    pub snoozed_until: Option<Timestamp>,
    pub merged_into: Option<IncidentId>,
    /// The incidents that were merged into this one.
    pub absorbed: BTreeSet<IncidentId>,
    /// Null unless it is resolved now.
    pub resolved: Option<Resolved>,
    /// How often it was taken up again after it had been resolved.
    pub reopened_times: u32,
    pub notes: u32,
    pub created_by: Option<ActorId>,
    pub created_at: Timestamp,
    /// When somebody took it on for the first time.
    pub first_acknowledged_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    /// The aggregate's sequence, as in the ETag.
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Acknowledgement {
    pub by: BTreeSet<ActorId>,
    pub at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    pub by: ActorId,
    pub at: Timestamp,
    pub resolution: Option<String>,
}

impl View for IncidentDetail {
    const NAME: &'static str = "incidents";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] = &[Incident::TYPE];
    const ORIGIN: Origin = Origin::Stream;
    const COLUMNS: &'static [Column] =
        &[text("status"), text("severity"), text("team_id"), integer("created_at"), integer("updated_at")];
    const INDEXES: &'static [&'static [&'static str]] = &[
        &["created_at"],
        &["updated_at"],
        &["status", "created_at"],
        &["severity", "created_at"],
        &["team_id", "status", "created_at"],
    ];
    const SEARCHED: bool = true;

    fn keys(event: &Decoded) -> Vec<String> {
        event.of::<Incident>().map(|_| event.aggregate_id().to_owned()).into_iter().collect()
    }

    fn apply(&mut self, event: &Decoded) {
        let Some(fact) = event.of::<Incident>() else { return };
        event.aggregate_id().clone_into(&mut self.id);
        self.updated_at = event.at();
        self.version = event.sequence();
        self.fold(fact, event.at());
    }

    fn columns(&self) -> Vec<Value> {
        vec![
            Value::Text(self.status.as_str().to_owned()),
            Value::Text(self.severity.as_str().to_owned()),
            optional(self.team_id.as_ref()),
            moment(self.created_at),
            moment(self.updated_at),
        ]
    }

    fn terms(&self) -> Vec<String> {
        let mut terms: Vec<String> = words([self.title.as_str(), &self.summary]).into_iter().collect();
        terms.extend(self.labels.iter().map(|(name, value)| facet("label", &format!("{name}={value}"))));
        terms.extend(self.service_ids.iter().map(|id| facet("service", id.as_ref())));
        terms.extend(self.assignees.iter().map(|id| facet("assignee", id.as_ref())));
        terms
    }

    fn counted(&self) -> Vec<(&'static str, String)> {
        let mut counted = vec![("status", self.status.as_str().to_owned())];
        if matches!(self.status, Status::Open | Status::Acknowledged) {
            counted.push(("active_severity", self.severity.as_str().to_owned()));
            counted.extend(self.team_id.as_ref().map(|team| ("active_team", team.to_string())));
        }
        if self.snoozed_until.is_some() {
            counted.push(("snoozed", String::new()));
        }
        counted
    }
}

impl IncidentDetail {
    fn fold(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Declared(declared) => self.declare(declared, at),
            Event::Acknowledged { by, expires_at, .. } => {
                let present = self.take_on(by, at);
                present.expires_at = *expires_at;
            }
            Event::Snoozed { by, until, .. } => {
                let present = self.take_on(by, at);
                present.expires_at = None;
                self.snoozed_until = Some(*until);
            }
            Event::Unacknowledged { .. } | Event::Woken { .. } => self.leave_for(Status::Open),
            Event::Reopened { .. } => {
                self.leave_for(Status::Open);
                self.reopened_times += 1;
            }
            Event::Resolved { by, resolution } => {
                self.leave_for(Status::Resolved);
                self.resolved = Some(Resolved { by: by.clone(), at, resolution: resolution.clone() });
            }
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
            Event::NoteAdded { .. } => self.notes += 1,
        }
    }

    fn declare(&mut self, declared: &Declared, at: Timestamp) {
        let declared = declared.clone();
        self.status = Status::Open;
        self.title = declared.title;
        self.summary = declared.summary;
        self.severity = declared.severity;
        self.labels = declared.labels;
        self.service_ids = declared.service_ids;
        self.team_id = declared.team_id;
        self.source = declared.source;
        self.links = declared.links;
        self.custom_fields = declared.custom_fields;
        self.responders = declared.responders;
        self.created_by = Some(declared.by);
        self.created_at = at;
    }

    fn take_on(&mut self, by: &ActorId, at: Timestamp) -> &mut Acknowledgement {
        self.status = Status::Acknowledged;
        self.first_acknowledged_at.get_or_insert(at);
        let present = self.acknowledgement.get_or_insert_with(|| Acknowledgement { at, ..Acknowledgement::default() });
        present.by.insert(by.clone());
        present
    }

    fn leave_for(&mut self, status: Status) {
        self.status = status;
        self.acknowledgement = None;
        self.snoozed_until = None;
        self.resolved = None;
    }

    fn edit(&mut self, edited: &Edited) {
        let edited = edited.clone();
        replace(&mut self.title, edited.title);
        replace(&mut self.summary, edited.summary);
        replace(&mut self.labels, edited.labels);
        replace(&mut self.service_ids, edited.service_ids);
        replace(&mut self.team_id, edited.team_id);
        replace(&mut self.links, edited.links);
        replace(&mut self.custom_fields, edited.custom_fields);
    }
}

fn replace<T>(field: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *field = new;
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{ActorId, IncidentId, UserId};
    use domain::incident::{Declare, Event, Incident, Responder, ResponderRole, Severity, Status};
    use domain::{Aggregate, incident};

    use super::{Acknowledgement, IncidentDetail};
    use crate::Decoded;
    use crate::View;
    use crate::given::{at, stream};

    fn ann() -> ActorId {
        ActorId::new("ann")
    }

    /// The declaration that everything begins with.
    fn declared() -> Event {
        let declare = Declare::new(ann(), "It is down", Severity::Sev2);
        let command = incident::Command::Declare(Box::new(declare));
        Incident::default().decide(&command).unwrap().remove(0)
    }

    fn then(after: impl IntoIterator<Item = Event>) -> IncidentDetail {
        let events: Vec<Event> = [declared()].into_iter().chain(after).collect();
        let mut detail = IncidentDetail::default();
        for event in stream::<Incident>("i1", &events) {
            let event = Decoded::new(event).unwrap();
            assert_eq!(IncidentDetail::keys(&event), ["i1"]);
            detail.apply(&event);
        }
        // Whatever happens, it is a document that can be stored and read back, and the state that decides agrees.
        let stored = serde_json::to_value(&detail).unwrap();
        assert_eq!(serde_json::from_value::<IncidentDetail>(stored).unwrap(), detail);
        let state = Incident::fold(&events);
        assert_eq!((detail.status, detail.severity, &detail.title), (state.status, state.severity, &state.title));
        assert_eq!((&detail.assignees, &detail.responders), (&state.assignees, &state.responders));
        assert_eq!((&detail.merged_into, &detail.absorbed), (&state.merged_into, &state.absorbed));
        assert_eq!(detail.snoozed_until, state.snoozed_until);
        let taken_on = detail.acknowledgement.clone().unwrap_or_default();
        assert_eq!((taken_on.by, taken_on.expires_at), (state.acknowledgement.by, state.acknowledgement.expires_at));
        detail
    }

    fn acknowledged(by: &str, number: u32) -> Event {
        Event::Acknowledged { by: ActorId::new(by), number, expires_at: None }
    }

    fn resolved() -> Event {
        Event::Resolved { by: ann(), resolution: Some("restarted".to_owned()) }
    }

    #[test]
    fn declared_is_open() {
        let detail = then([]);
        assert_eq!((detail.id.as_str(), detail.version, detail.status), ("i1", 1, Status::Open));
        assert_eq!((detail.created_by, detail.created_at, detail.updated_at), (Some(ann()), at(0), at(0)));
    }

    #[test]
    fn who_takes_it_on_is_shown_with_the_time_of_the_first() {
        let detail = then([acknowledged("bob", 1), acknowledged("eve", 1)]);
        let by = [ActorId::new("bob"), ActorId::new("eve")].into();
        assert_eq!(detail.acknowledgement, Some(Acknowledgement { by, at: at(1), expires_at: None }));
        assert_eq!((detail.first_acknowledged_at, detail.updated_at), (Some(at(1)), at(2)));
    }

    #[test]
    fn an_acknowledgement_ends_but_the_first_one_stays_known() {
        let detail = then([acknowledged("bob", 1), Event::Unacknowledged { number: 1, by: None }]);
        assert_eq!((detail.status, detail.acknowledgement), (Status::Open, None));
        assert_eq!(detail.first_acknowledged_at, Some(at(1)));
    }

    #[test]
    fn a_snooze_is_until_then() {
        let snoozed = Event::Snoozed { by: ann(), number: 1, until: at(9) };
        assert_eq!(then([snoozed.clone()]).snoozed_until, Some(at(9)));
        assert_eq!(then([snoozed, Event::Woken { until: at(9) }]).snoozed_until, None);
    }

    #[test]
    fn resolved_says_by_whom_and_reopened_forgets_it() {
        let detail = then([acknowledged("bob", 1), resolved()]);
        let end = detail.resolved.unwrap();
        assert_eq!((end.by, end.at, end.resolution.as_deref()), (ann(), at(2), Some("restarted")));
        let detail = then([resolved(), Event::Reopened { by: ann(), reason: None }]);
        assert_eq!((detail.status, detail.resolved, detail.reopened_times), (Status::Open, None, 1));
    }

    #[test]
    fn people_severity_notes_and_edits_are_kept() {
        let (user, role) = (UserId::new("bob"), ResponderRole::Scribe);
        let added = Event::ResponderAdded { by: ann(), user: user.clone(), role: role.clone() };
        let removed = Event::ResponderRemoved { by: ann(), user: user.clone(), role: role.clone() };
        let changed = Event::SeverityChanged {
            by: ann(),
            from: Severity::Sev2,
            to: Severity::Sev1,
            reason: None,
            correction: false,
        };
        let assigned = Event::Assigned { by: ann(), to: [user.clone()].into() };
        let detail = then([added.clone(), assigned, changed, Event::NoteAdded { by: ann(), text: "n".to_owned() }]);
        assert_eq!(detail.responders, [Responder { user: user.clone(), role }].into());
        assert_eq!((detail.assignees, detail.severity, detail.notes), ([user].into(), Severity::Sev1, 1));
        assert!(then([added, removed]).responders.is_empty());
    }

    #[test]
    fn merging_is_shown_on_both_sides() {
        let (into, gone) = (IncidentId::new("i9"), IncidentId::new("i2"));
        let merged = Event::MergedInto { by: ann(), into: into.clone() };
        assert_eq!(then([merged.clone()]).merged_into, Some(into.clone()));
        assert_eq!(then([merged, Event::Unmerged { by: ann(), from: into }]).merged_into, None);
        let absorbed = Event::Absorbed { by: ann(), incident: gone.clone() };
        assert_eq!(then([absorbed.clone()]).absorbed, [gone.clone()].into());
        assert!(then([absorbed, Event::Released { by: ann(), incident: gone }]).absorbed.is_empty());
    }

    #[test]
    fn any_order_of_events_folds_without_a_panic() {
        let mut detail = IncidentDetail::default();
        for event in stream::<Incident>("i1", &[resolved(), Event::Woken { until: at(0) }, acknowledged("b", 7)]) {
            detail.apply(&Decoded::new(event).unwrap());
        }
        assert_eq!(detail.version, 3);
    }
}
