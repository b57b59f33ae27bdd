//! Who works on an incident.

use std::collections::BTreeSet;

use crate::Refusal;
use crate::ids::{ActorId, UserId};
use crate::incident::decide::Decision;
use crate::incident::event::Event;
use crate::incident::fields::{Responder, ResponderRole};
use crate::incident::limits::PEOPLE;
use crate::incident::state::Incident;

impl Incident {
    pub(super) fn assign(&self, by: &ActorId, to: &BTreeSet<UserId>) -> Decision {
        self.must_be_active()?;
        if self.assignees == *to {
            return Ok(vec![]);
        }
        Ok(vec![Event::Assigned { by: by.clone(), to: to.clone() }])
    }

    pub(super) fn add_responder(&self, by: &ActorId, user: &UserId, role: &ResponderRole) -> Decision {
        self.must_be_active()?;
        let new = Responder { user: user.clone(), role: role.clone() };
        if self.responders.contains(&new) {
            return Ok(vec![]);
        }
        if self.responders.len() >= PEOPLE {
            let detail = format!("an incident has at most {PEOPLE} responders");
            return Err(Refusal::state("too_many_responders", detail));
        }
        let mut events = Vec::with_capacity(2);
        if new.role == ResponderRole::Commander {
            events.extend(self.relieved_commander(by));
        }
        events.push(Event::ResponderAdded { by: by.clone(), user: new.user, role: new.role });
        Ok(events)
    }

    fn relieved_commander(&self, by: &ActorId) -> Option<Event> {
        let old = self.responders.iter().find(|responder| responder.role == ResponderRole::Commander)?;
        Some(Event::ResponderRemoved { by: by.clone(), user: old.user.clone(), role: old.role.clone() })
    }

    pub(super) fn remove_responder(&self, by: &ActorId, user: &UserId, role: &ResponderRole) -> Decision {
        self.must_be_active()?;
        if !self.responders.contains(&Responder { user: user.clone(), role: role.clone() }) {
            return Ok(vec![]);
        }
        Ok(vec![Event::ResponderRemoved { by: by.clone(), user: user.clone(), role: role.clone() }])
    }
}
