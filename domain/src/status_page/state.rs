//! What a status page is after its events: the fold, without a single rule.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{ActorId, ComponentId, IncidentId, TeamId};
use crate::status_page::event::{ComponentAdded, ComponentEdited, Created, Edited, Event};
use crate::status_page::fields::{Audience, ByHand, Component, ComponentStatus, Effect};
use crate::status_page::order;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StatusPage {
    /// Absent while the stream is empty.
    pub created_by: Option<ActorId>,
    pub archived: bool,
    pub slug: String,
    pub name: String,
    pub description: String,
    pub time_zone: String,
    pub audience: Audience,
    pub team_id: Option<TeamId>,
    /// In their order.
    pub components: Vec<Component>,
    /// Those that are no more: their ids are never used again, so that whoever was granted one is not granted another.
    pub removed: BTreeSet<ComponentId>,
    /// The open incidents that touch a component.
    pub incidents: BTreeMap<IncidentId, Effect>,
}

impl StatusPage {
    pub fn component(&self, id: &ComponentId) -> Option<&Component> {
        self.components.iter().find(|component| component.id == *id)
    }

    /// What a component shows now; of a group, the worst of its members.
    pub fn status_of(&self, component: &Component) -> ComponentStatus {
        if !component.group {
            return component.status(self.incidents.values());
        }
        let members = self.components.iter().filter(|member| member.group_id.as_ref() == Some(&component.id));
        members.map(|member| member.status(self.incidents.values())).max().unwrap_or_default()
    }

    pub(super) fn fold_event(&mut self, event: &Event) {
        match event {
            Event::Created(created) => self.create(created),
            Event::Edited(edited) => self.edit(edited),
            Event::ComponentAdded(added) => order::place(&mut self.components, component(added), added.position),
            Event::ComponentEdited(edited) => {
                if let Some(component) = self.find(&edited.component) {
                    edited.fold_into(component);
                }
            }
            Event::ComponentMoved { component, group_id, position, .. } => {
                order::rearrange(&mut self.components, component, *position, |it| it.group_id.clone_from(group_id));
            }
            Event::ComponentRemoved { component, .. } => {
                self.components.retain(|kept| kept.id != *component);
                self.removed.insert(component.clone());
            }
            Event::StatusSet { component, status, reason, .. } => {
                if let Some(component) = self.find(component) {
                    component.by_hand = Some(ByHand { status: *status, reason: reason.clone() });
                }
            }
            Event::StatusReleased { component, .. } => {
                if let Some(component) = self.find(component) {
                    component.by_hand = None;
                }
            }
            Event::IncidentNoted { incident, severity, service_ids } => {
                let effect = Effect { severity: *severity, service_ids: service_ids.clone() };
                self.incidents.insert(incident.clone(), effect);
            }
            Event::IncidentCleared { incident } => {
                self.incidents.remove(incident);
            }
            Event::Archived { .. } => self.archived = true,
        }
    }

    fn find(&mut self, id: &ComponentId) -> Option<&mut Component> {
        self.components.iter_mut().find(|component| component.id == *id)
    }

    fn create(&mut self, created: &Created) {
        let Created { by, slug, name, description, time_zone, audience, team_id } = created.clone();
        self.created_by = Some(by);
        self.slug = slug;
        self.name = name;
        self.description = description;
        self.time_zone = time_zone;
        self.audience = audience;
        self.team_id = team_id;
    }

    fn edit(&mut self, edited: &Edited) {
        let Edited { by: _, slug, name, description, time_zone, audience, team_id } = edited.clone();
        replace(&mut self.slug, slug);
        replace(&mut self.name, name);
        replace(&mut self.description, description);
        replace(&mut self.time_zone, time_zone);
        replace(&mut self.audience, audience);
        replace(&mut self.team_id, team_id);
    }
}

/// The component that an event tells of.
pub fn component(added: &ComponentAdded) -> Component {
    let ComponentAdded { by: _, component, name, description, group, group_id, service_ids, .. } = added.clone();
    Component {
        id: component,
        name,
        description,
        group,
        group_id,
        service_ids,
        only_show_if_degraded: added.only_show_if_degraded,
        by_hand: None,
    }
}

impl ComponentEdited {
    pub fn fold_into(&self, component: &mut Component) {
        let Self { by: _, component: _, name, description, service_ids, only_show_if_degraded } = self.clone();
        replace(&mut component.name, name);
        replace(&mut component.description, description);
        replace(&mut component.service_ids, service_ids);
        replace(&mut component.only_show_if_degraded, only_show_if_degraded);
    }
}

fn replace<T>(field: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *field = new;
    }
}
