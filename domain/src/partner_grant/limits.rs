//! What can be wrong with a command in whatever state the grant is: sizes, shapes, identifiers, time boxes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::ids::SubjectId;
use crate::partner_grant::command::{Command, Grant};
use crate::partner_grant::scope::{Extent, Scope};
use crate::status_page::limits::COMPONENTS;
use crate::{Fault, ids, pointer, text};

pub const ORGANISATION_CHARACTERS: usize = 200;
pub const PEOPLE: usize = 100;
pub const PAGES: usize = 50;
/// Whoever grants for longer has forgotten it before it ends; it can be renewed.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366 * 5);

/// Everything that is wrong with `command` by itself.
pub fn faults(command: &Command) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(by) = command.by() {
        ids::check(by, "/by", &mut faults);
    }
    match command {
        Command::Grant(grant) => granted(grant, &mut faults),
        Command::Edit { organisation, people: new, .. } => {
            if let Some(organisation) = organisation {
                text::check(organisation, 1, ORGANISATION_CHARACTERS, "/organisation", &mut faults);
            }
            if let Some(new) = new {
                people(new, &mut faults);
            }
        }
        Command::ChangeScope { scope: new, reason: given, .. } => {
            scope(new, &mut faults);
            reason(given, &mut faults);
        }
        Command::Renew { from, until, reason: given, at, .. } => {
            time_box(*from, *until, *at, &mut faults);
            reason(given, &mut faults);
        }
        Command::Suspend { reason: given, .. }
        | Command::Resume { reason: given, .. }
        | Command::Revoke { reason: given, .. } => reason(given, &mut faults),
        Command::Activate { .. } | Command::Expire { .. } => {}
    }
    faults
}

fn granted(grant: &Grant, faults: &mut Vec<Fault>) {
    text::check(&grant.organisation, 1, ORGANISATION_CHARACTERS, "/organisation", faults);
    people(&grant.people, faults);
    scope(&grant.scope, faults);
    time_box(grant.from, grant.until, grant.at, faults);
    reason(&grant.reason, faults);
}

fn people(people: &BTreeSet<SubjectId>, faults: &mut Vec<Fault>) {
    if people.len() > PEOPLE {
        faults.push(Fault::new("/people", format!("must have at most {PEOPLE} entries")));
    }
    for (index, id) in people.iter().enumerate() {
        ids::check(id, &format!("/people/{index}"), faults);
    }
}

fn scope(scope: &Scope, faults: &mut Vec<Fault>) {
    if scope.is_empty() || scope.len() > PAGES {
        faults.push(Fault::new("/scope", format!("must name 1 to {PAGES} pages")));
    }
    for (page, extent) in scope {
        let at = pointer::child("/scope", page);
        ids::check(page, &at, faults);
        let Extent::Components(components) = extent else { continue };
        let at = format!("{at}/components");
        if components.is_empty() || components.len() > COMPONENTS {
            faults.push(Fault::new(&at, format!("must name 1 to {COMPONENTS} components, or be all of the page")));
        }
        for (index, component) in components.iter().enumerate() {
            ids::check(component, &format!("{at}/{index}"), faults);
        }
    }
}

fn time_box(from: Timestamp, until: Timestamp, at: Timestamp, faults: &mut Vec<Fault>) {
    if until <= at {
        faults.push(Fault::new("/until", "must be in the future"));
    }
    if until <= from {
        faults.push(Fault::new("/until", "must be after the beginning"));
    } else if until.duration_since(from) > LONGEST {
        faults.push(Fault::new("/until", "must be at most five years after the beginning"));
    }
}

fn reason(reason: &str, faults: &mut Vec<Fault>) {
    text::check(reason, 1, text::REASON_CHARACTERS, "/reason", faults);
}
