//! What each command does to a status page.
//!
//! A page that was archived takes no command any more, but a repeated archiving, which is nothing, and what follows from
//! incidents, which is nothing too: nobody looks at it.

use crate::ids::{ActorId, IncidentId};
use crate::status_page::command::{Changes, Command, Create};
use crate::status_page::event::{Created, Edited, Event};
use crate::status_page::fields::Effect;
use crate::status_page::limits::{self, INCIDENTS};
use crate::status_page::state::StatusPage;
use crate::{Refusal, text};

/// What a decision comes to.
pub(super) type Decision = Result<Vec<Event>, Refusal>;

impl StatusPage {
    pub(super) fn decide_on(&self, command: &Command) -> Decision {
        text::refuse_if_any(limits::faults(command))?;
        if let Command::Create(create) = command {
            if self.created_by.is_some() {
                return Err(Refusal::state("status_page_exists", "a status page with this id exists already"));
            }
            return Ok(vec![created(create)]);
        }
        if self.created_by.is_none() {
            return Err(Refusal::missing("status_page_missing", "there is no such status page"));
        }
        if self.archived {
            return match command {
                Command::Archive { .. } | Command::NoteIncident { .. } | Command::ClearIncident { .. } => Ok(vec![]),
                _ => Err(Refusal::state("status_page_archived", "the status page is archived; nothing changes there")),
            };
        }
        match command {
            // Decided above, which knows the empty stream.
            Command::Create(_) => Ok(vec![]),
            Command::Edit { by, changes } => Ok(self.change(by, changes)),
            Command::AddComponent(add) => self.add_component(add),
            Command::EditComponent { by, component, changes } => self.edit_component(by, component, changes),
            Command::MoveComponent { by, component, group_id, position } => {
                self.move_component(by, component, group_id.as_ref(), *position)
            }
            Command::RemoveComponent { by, component } => self.remove_component(by, component),
            Command::SetStatus { by, component, status, reason } => {
                self.set_status(by, component, *status, reason.as_deref())
            }
            Command::ReleaseStatus { by, component } => self.release_status(by, component),
            Command::NoteIncident { incident, severity, service_ids } => {
                self.note(incident, &Effect { severity: *severity, service_ids: service_ids.clone() })
            }
            Command::ClearIncident { incident } => Ok(self.clear(incident)),
            Command::Archive { by, reason } => {
                Ok(vec![Event::Archived { by: by.clone(), reason: text::trimmed(reason.as_deref()) }])
            }
        }
    }

    fn change(&self, by: &ActorId, changes: &Changes) -> Vec<Event> {
        let name = changes.name.as_deref().map(|name| name.trim().to_owned());
        let edited = Edited {
            by: by.clone(),
            slug: differing(changes.slug.as_ref(), &self.slug),
            name: differing(name.as_ref(), &self.name),
            description: differing(changes.description.as_ref(), &self.description),
            time_zone: differing(changes.time_zone.as_ref(), &self.time_zone),
            audience: differing(changes.audience.as_ref(), &self.audience),
            team_id: differing(changes.team_id.as_ref(), &self.team_id),
        };
        let nothing = Edited {
            by: by.clone(),
            slug: None,
            name: None,
            description: None,
            time_zone: None,
            audience: None,
            team_id: None,
        };
        if edited == nothing { vec![] } else { vec![Event::Edited(edited)] }
    }

    /// What touches no component is none of this page's business, and forgotten if it was.
    fn note(&self, incident: &IncidentId, effect: &Effect) -> Decision {
        if !self.components.iter().any(|component| component.touched_by(&effect.service_ids)) {
            return Ok(self.clear(incident));
        }
        match self.incidents.get(incident) {
            Some(known) if known == effect => return Ok(vec![]),
            None if self.incidents.len() >= INCIDENTS => {
                let detail = format!("a status page follows at most {INCIDENTS} open incidents");
                return Err(Refusal::state("too_many_incidents", detail));
            }
            Some(_) | None => {}
        }
        let Effect { severity, service_ids } = effect.clone();
        Ok(vec![Event::IncidentNoted { incident: incident.clone(), severity, service_ids }])
    }

    fn clear(&self, incident: &IncidentId) -> Vec<Event> {
        if !self.incidents.contains_key(incident) {
            return vec![];
        }
        vec![Event::IncidentCleared { incident: incident.clone() }]
    }
}

fn created(create: &Create) -> Event {
    let Create { by, slug, name, description, time_zone, audience, team_id } = create.clone();
    Event::Created(Created { by, slug, name: name.trim().to_owned(), description, time_zone, audience, team_id })
}

pub(super) fn differing<T: Clone + PartialEq>(new: Option<&T>, old: &T) -> Option<T> {
    new.filter(|new| *new != old).cloned()
}
