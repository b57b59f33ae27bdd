//! What is decided about components: which there are, where they stand, and what status somebody sets by hand.

use crate::ids::{ActorId, ComponentId};
use crate::status_page::command::{AddComponent, ComponentChanges};
use crate::status_page::decide::{Decision, differing};
use crate::status_page::event::{ComponentAdded, ComponentEdited, Event};
use crate::status_page::fields::{ByHand, Component, ComponentStatus};
use crate::status_page::limits::{COMPONENTS, COMPONENTS_EVER};
use crate::status_page::order;
use crate::status_page::state::StatusPage;
use crate::{Fault, Refusal, text};

impl StatusPage {
    pub(super) fn add_component(&self, add: &AddComponent) -> Decision {
        if self.component(&add.id).is_some() {
            return Err(Refusal::state("component_exists", "the page has a component with this id already"));
        }
        if self.removed.contains(&add.id) {
            let detail = "a component with this id was removed; its id is not used again";
            return Err(Refusal::state("component_was_removed", detail));
        }
        if self.components.len() >= COMPONENTS || self.components.len() + self.removed.len() >= COMPONENTS_EVER {
            let detail = format!("a page has at most {COMPONENTS} components, and {COMPONENTS_EVER} over all times");
            return Err(Refusal::state("too_many_components", detail));
        }
        self.must_be_group(add.group_id.as_ref())?;
        let siblings = self.components.iter().filter(|other| other.group_id == add.group_id).count();
        let last = u32::try_from(siblings).unwrap_or(u32::MAX - 1) + 1;
        let AddComponent { by, id, name, description, group, group_id, service_ids, only_show_if_degraded, position } =
            add.clone();
        Ok(vec![Event::ComponentAdded(ComponentAdded {
            by,
            component: id,
            name: name.trim().to_owned(),
            description,
            group,
            group_id,
            service_ids,
            only_show_if_degraded,
            position: position.unwrap_or(last).min(last),
        })])
    }

    pub(super) fn edit_component(&self, by: &ActorId, id: &ComponentId, changes: &ComponentChanges) -> Decision {
        let old = self.must_have(id)?;
        if old.group && changes.service_ids.as_ref().is_some_and(|services| !services.is_empty()) {
            return invalid("/service_ids", "a group has no services: its status is that of its members");
        }
        let name = changes.name.as_deref().map(|name| name.trim().to_owned());
        let edited = ComponentEdited {
            by: by.clone(),
            component: id.clone(),
            name: differing(name.as_ref(), &old.name),
            description: differing(changes.description.as_ref(), &old.description),
            service_ids: differing(changes.service_ids.as_ref(), &old.service_ids),
            only_show_if_degraded: differing(changes.only_show_if_degraded.as_ref(), &old.only_show_if_degraded),
        };
        let mut after = old.clone();
        edited.fold_into(&mut after);
        Ok(if after == *old { vec![] } else { vec![Event::ComponentEdited(edited)] })
    }

    pub(super) fn move_component(
        &self,
        by: &ActorId,
        id: &ComponentId,
        group_id: Option<&ComponentId>,
        position: u32,
    ) -> Decision {
        let old = self.must_have(id)?;
        if old.group && group_id.is_some() {
            return invalid("/group_id", "a group does not stand in another one");
        }
        self.must_be_group(group_id)?;
        let mut after = self.components.clone();
        order::rearrange(&mut after, id, position, |it| it.group_id = group_id.cloned());
        let position = order::position(&after, id).unwrap_or(position);
        if old.group_id.as_ref() == group_id && order::position(&self.components, id) == Some(position) {
            return Ok(vec![]);
        }
        let (by, component, group_id) = (by.clone(), id.clone(), group_id.cloned());
        Ok(vec![Event::ComponentMoved { by, component, group_id, position }])
    }

    pub(super) fn remove_component(&self, by: &ActorId, id: &ComponentId) -> Decision {
        if self.removed.contains(id) {
            return Ok(vec![]);
        }
        self.must_have(id)?;
        if self.components.iter().any(|member| member.group_id.as_ref() == Some(id)) {
            let detail = "components stand in this group; move or remove them first";
            return Err(Refusal::state("group_not_empty", detail));
        }
        Ok(vec![Event::ComponentRemoved { by: by.clone(), component: id.clone() }])
    }

    pub(super) fn set_status(
        &self,
        by: &ActorId,
        id: &ComponentId,
        status: ComponentStatus,
        reason: Option<&str>,
    ) -> Decision {
        let component = self.must_have(id)?;
        if component.group {
            let detail = "a group has no status of its own: set that of its members";
            return Err(Refusal::state("component_is_group", detail));
        }
        let new = ByHand { status, reason: text::trimmed(reason) };
        if component.by_hand.as_ref() == Some(&new) {
            return Ok(vec![]);
        }
        Ok(vec![Event::StatusSet { by: by.clone(), component: id.clone(), status, reason: new.reason }])
    }

    pub(super) fn release_status(&self, by: &ActorId, id: &ComponentId) -> Decision {
        if self.must_have(id)?.by_hand.is_none() {
            return Ok(vec![]);
        }
        Ok(vec![Event::StatusReleased { by: by.clone(), component: id.clone() }])
    }

    fn must_have(&self, id: &ComponentId) -> Result<&Component, Refusal> {
        self.component(id)
            .ok_or_else(|| Refusal::missing("component_missing", "the page has no component with this id"))
    }

    fn must_be_group(&self, id: Option<&ComponentId>) -> Result<(), Refusal> {
        match id {
            Some(id) if !self.component(id).is_some_and(|component| component.group) => {
                invalid("/group_id", "is no group of this page").map(drop)
            }
            _ => Ok(()),
        }
    }
}

fn invalid(pointer: &str, message: &str) -> Decision {
    Err(Refusal::Invalid(vec![Fault::new(pointer, message)]))
}
