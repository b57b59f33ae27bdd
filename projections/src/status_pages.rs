//! A status page as the house sees it: all of its components with what they show now, and why.

use std::collections::{BTreeMap, BTreeSet};

use domain::Aggregate;
use domain::ids::{ActorId, ComponentId, IncidentId, ServiceId, TeamId};
use domain::incident::Severity;
use domain::status_page::event::{Created, Edited, Event};
use domain::status_page::{Audience, ByHand, Component, ComponentStatus, Effect, StatusPage, order, state};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::status::Overall;
use crate::terms::{facet, words};
use crate::view::{Column, Origin, Value, integer, moment, optional, text};
use crate::{Decoded, View};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StatusPageDetail {
    pub id: String,
    pub slug: String,
    pub name: String,
    pub description: String,
    pub time_zone: String,
    pub audience: Audience,
    pub team_id: Option<TeamId>,
    /// Null unless it is archived.
    pub archived: Option<Archived>,
    /// Of all components together.
    pub status: Overall,
    /// In their order.
    pub components: Vec<ComponentDetail>,
    /// The open incidents that touch a component.
    pub incidents: BTreeMap<IncidentId, Noted>,
    pub created_by: Option<ActorId>,
    pub created_at: Timestamp,
    /// When the page itself was last changed, not what is on it.
    pub edited_at: Timestamp,
    pub updated_at: Timestamp,
    /// The aggregate's sequence, as in the ETag.
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComponentDetail {
    #[serde(flatten)]
    pub is: Component,
    /// What it shows now; of a group, the worst of its members.
    pub status: ComponentStatus,
    /// Among those under the same heading, from 1.
    pub position: u32,
    /// Who set the status that is set by hand, and when.
    pub set: Option<Set>,
    /// The open incidents that touch it.
    pub incidents: BTreeSet<IncidentId>,
    pub created_at: Timestamp,
    /// When it last changed, or what it shows.
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Set {
    pub by: ActorId,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    pub severity: Severity,
    pub service_ids: BTreeSet<ServiceId>,
    pub since: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Archived {
    pub by: ActorId,
    pub at: Timestamp,
    pub reason: Option<String>,
}

impl AsRef<Component> for ComponentDetail {
    fn as_ref(&self) -> &Component {
        &self.is
    }
}

impl View for StatusPageDetail {
    const NAME: &'static str = "status_pages";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] = &[StatusPage::TYPE];
    const ORIGIN: Origin = Origin::Stream;
    const COLUMNS: &'static [Column] = &[
        text("state"),
        text("audience"),
        text("team_id"),
        text("slug"),
        text("indicator"),
        text("name"),
        integer("created_at"),
        integer("updated_at"),
    ];
    const INDEXES: &'static [&'static [&'static str]] =
        &[&["state", "name"], &["state", "created_at"], &["state", "updated_at"], &["slug"], &["team_id", "name"]];
    const SEARCHED: bool = true;

    fn keys(event: &Decoded) -> Vec<String> {
        event.of::<StatusPage>().map(|_| event.aggregate_id().to_owned()).into_iter().collect()
    }

    fn apply(&mut self, event: &Decoded) {
        let Some(fact) = event.of::<StatusPage>() else { return };
        event.aggregate_id().clone_into(&mut self.id);
        self.updated_at = event.at();
        self.version = event.sequence();
        self.fold(fact, event.at());
        self.settle(event.at());
    }

    fn columns(&self) -> Vec<Value> {
        vec![
            Value::Text(self.state().to_owned()),
            Value::Text(self.audience.as_str().to_owned()),
            optional(self.team_id.as_ref()),
            Value::Text(self.slug.clone()),
            Value::Text(self.status.indicator.clone()),
            Value::Text(self.name.clone()),
            moment(self.created_at),
            moment(self.updated_at),
        ]
    }

    fn terms(&self) -> Vec<String> {
        let names = self.components.iter().map(|component| component.is.name.as_str());
        let texts = [self.name.as_str(), &self.slug, &self.description].into_iter().chain(names);
        let mut terms: Vec<String> = words(texts).into_iter().collect();
        // Reactions look for these: an archived page follows nothing any more.
        if self.archived.is_none() {
            let services: BTreeSet<_> = self.components.iter().flat_map(|one| &one.is.service_ids).collect();
            terms.extend(services.into_iter().map(|id| facet("service", id.as_ref())));
            terms.extend(self.incidents.keys().map(|id| facet("incident", id.as_ref())));
        }
        terms
    }

    fn counted(&self) -> Vec<(&'static str, String)> {
        let mut counted = vec![("status", self.state().to_owned())];
        if self.archived.is_none() {
            counted.push(("indicator", self.status.indicator.clone()));
        }
        counted
    }
}

/// What a page can be.
pub const LIVE: &str = "live";
pub const ARCHIVED: &str = "archived";

impl StatusPageDetail {
    fn state(&self) -> &'static str {
        if self.archived.is_some() { ARCHIVED } else { LIVE }
    }

    pub fn component(&self, id: &str) -> Option<&ComponentDetail> {
        self.components.iter().find(|component| component.is.id.as_str() == id)
    }

    fn fold(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Created(created) => self.create(created, at),
            Event::Edited(edited) => self.edit(edited, at),
            Event::ComponentAdded(added) => {
                let component = ComponentDetail {
                    is: state::component(added),
                    status: ComponentStatus::default(),
                    position: 0,
                    set: None,
                    incidents: BTreeSet::new(),
                    created_at: at,
                    updated_at: at,
                };
                order::place(&mut self.components, component, added.position);
            }
            Event::ComponentEdited(edited) => self.touch(&edited.component, at, |it| edited.fold_into(&mut it.is)),
            Event::ComponentMoved { component, group_id, position, .. } => {
                order::rearrange(&mut self.components, component, *position, |it| {
                    it.is.group_id.clone_from(group_id);
                    it.updated_at = at;
                });
            }
            Event::ComponentRemoved { component, .. } => self.components.retain(|kept| kept.is.id != *component),
            Event::StatusSet { by, component, status, reason } => self.touch(component, at, |it| {
                it.is.by_hand = Some(ByHand { status: *status, reason: reason.clone() });
                it.set = Some(Set { by: by.clone(), at });
            }),
            Event::StatusReleased { component, .. } => self.touch(component, at, |it| {
                it.is.by_hand = None;
                it.set = None;
            }),
            Event::IncidentNoted { incident, severity, service_ids } => {
                let since = self.incidents.get(incident).map_or(at, |known| known.since);
                let noted = Noted { severity: *severity, service_ids: service_ids.clone(), since };
                self.incidents.insert(incident.clone(), noted);
            }
            Event::IncidentCleared { incident } => {
                self.incidents.remove(incident);
            }
            Event::Archived { by, reason } => {
                self.archived = Some(Archived { by: by.clone(), at, reason: reason.clone() });
            }
        }
    }

    fn create(&mut self, created: &Created, at: Timestamp) {
        let created = created.clone();
        self.slug = created.slug;
        self.name = created.name;
        self.description = created.description;
        self.time_zone = created.time_zone;
        self.audience = created.audience;
        self.team_id = created.team_id;
        self.created_by = Some(created.by);
        self.created_at = at;
        self.edited_at = at;
    }

    fn edit(&mut self, edited: &Edited, at: Timestamp) {
        let edited = edited.clone();
        replace(&mut self.slug, edited.slug);
        replace(&mut self.name, edited.name);
        replace(&mut self.description, edited.description);
        replace(&mut self.time_zone, edited.time_zone);
        replace(&mut self.audience, edited.audience);
        replace(&mut self.team_id, edited.team_id);
        self.edited_at = at;
    }

    fn touch(&mut self, id: &ComponentId, at: Timestamp, change: impl FnOnce(&mut ComponentDetail)) {
        if let Some(component) = self.components.iter_mut().find(|component| component.is.id == *id) {
            change(component);
            component.updated_at = at;
        }
    }

    /// Brings everything up to date that follows from the rest.
    fn settle(&mut self, at: Timestamp) {
        let noted = |noted: &Noted| Effect { severity: noted.severity, service_ids: noted.service_ids.clone() };
        let effects: Vec<(&IncidentId, Effect)> = self.incidents.iter().map(|(id, it)| (id, noted(it))).collect();
        let mut own: Vec<ComponentStatus> = Vec::with_capacity(self.components.len());
        for component in &mut self.components {
            let touching = effects.iter().filter(|(_, effect)| component.is.touched_by(&effect.service_ids));
            component.incidents = touching.map(|(id, _)| (*id).clone()).collect();
            own.push(component.is.status(effects.iter().map(|(_, effect)| effect)));
        }
        let mut of_groups: BTreeMap<ComponentId, ComponentStatus> = BTreeMap::new();
        let mut placed: BTreeMap<Option<ComponentId>, u32> = BTreeMap::new();
        for (component, status) in self.components.iter_mut().zip(&own) {
            let position = placed.entry(component.is.group_id.clone()).or_default();
            *position += 1;
            component.position = *position;
            if let Some(group) = &component.is.group_id {
                let worst = of_groups.entry(group.clone()).or_default();
                *worst = (*worst).max(*status);
            }
        }
        for (component, own) in self.components.iter_mut().zip(own) {
            let of_members = || of_groups.get(&component.is.id).copied().unwrap_or_default();
            let status = if component.is.group { of_members() } else { own };
            if component.status != status {
                component.status = status;
                component.updated_at = at;
            }
        }
        let parts = self.components.iter().filter(|component| !component.is.group);
        self.status = Overall::of(parts.map(|component| component.status));
    }
}

fn replace<T>(field: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *field = new;
    }
}

#[cfg(test)]
#[path = "status_pages/tests.rs"]
mod tests;
