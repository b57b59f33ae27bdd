//! What can be wrong with a command in whatever state the incident is: sizes, shapes, identifiers.

use std::collections::BTreeSet;

use crate::incident::command::{Changes, Command, Declare};
use crate::incident::fields::{CustomFields, Labels, Link, ResponderRole, Source};
use crate::{Fault, ids, pointer, text};

pub const TITLE_CHARACTERS: usize = 200;
pub const SUMMARY_CHARACTERS: usize = 10_000;
pub const NOTE_CHARACTERS: usize = 10_000;
pub const LABELS: usize = 50;
pub const LABEL_NAME_CHARACTERS: usize = 64;
pub const LABEL_VALUE_CHARACTERS: usize = 256;
pub const SERVICES: usize = 100;
/// Assignees, and responders.
pub const PEOPLE: usize = 100;
pub const ROLE_CHARACTERS: usize = 40;
pub const LINKS: usize = 50;
pub const URL_BYTES: usize = 2_000;
pub const LINK_TITLE_CHARACTERS: usize = 200;
pub const CUSTOM_FIELDS: usize = 50;
pub const CUSTOM_FIELDS_BYTES: usize = 32 * 1024;
pub const CUSTOM_FIELD_DEPTH: usize = 8;
pub const SOURCE_CHARACTERS: usize = 200;

/// Everything that is wrong with `command` by itself.
pub fn faults(command: &Command) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(by) = command.by() {
        ids::check(by, "/by", &mut faults);
    }
    match command {
        Command::Declare(declare) => declared(declare, &mut faults),
        Command::Edit { changes, .. } => changed(changes, &mut faults),
        Command::Assign { to, .. } => identifiers(to, PEOPLE, "/to", &mut faults),
        Command::AddResponder { user, role: named, .. } | Command::RemoveResponder { user, role: named, .. } => {
            ids::check(user, "/user", &mut faults);
            role(named, "/role", &mut faults);
        }
        Command::AddNote { text, .. } => text::check(text, 1, NOTE_CHARACTERS, "/text", &mut faults),
        Command::ChangeSeverity { reason, .. } | Command::Reopen { reason, .. } => {
            reason_given(reason.as_ref(), "/reason", &mut faults);
        }
        Command::Resolve { resolution, .. } => reason_given(resolution.as_ref(), "/resolution", &mut faults),
        Command::Snooze { until, at, .. } if until <= at => {
            faults.push(Fault::new("/until", "must be in the future"));
        }
        Command::MergeInto { this, into, .. } => {
            ids::check(into, "/into", &mut faults);
            if this == into {
                faults.push(Fault::new("/into", "an incident cannot be merged into itself"));
            }
        }
        Command::Absorb { this, incident, .. } => {
            ids::check(incident, "/incident", &mut faults);
            if this == incident {
                faults.push(Fault::new("/incident", "an incident cannot absorb itself"));
            }
        }
        _ => {}
    }
    faults
}

fn declared(declare: &Declare, faults: &mut Vec<Fault>) {
    text::check(&declare.title, 1, TITLE_CHARACTERS, "/title", faults);
    text::check(&declare.summary, 0, SUMMARY_CHARACTERS, "/summary", faults);
    labels(&declare.labels, faults);
    identifiers(&declare.service_ids, SERVICES, "/service_ids", faults);
    if let Some(team) = &declare.team_id {
        ids::check(team, "/team_id", faults);
    }
    source(&declare.source, faults);
    links(&declare.links, faults);
    custom_fields(&declare.custom_fields, faults);
    if declare.responders.len() > PEOPLE {
        faults.push(Fault::new("/responders", format!("must have at most {PEOPLE} entries")));
    }
    for (index, responder) in declare.responders.iter().enumerate() {
        ids::check(&responder.user, &format!("/responders/{index}/user"), faults);
        role(&responder.role, &format!("/responders/{index}/role"), faults);
    }
    if declare.responders.iter().filter(|r| r.role == ResponderRole::Commander).count() > 1 {
        faults.push(Fault::new("/responders", "must have at most one commander"));
    }
}

fn changed(changes: &Changes, faults: &mut Vec<Fault>) {
    if let Some(title) = &changes.title {
        text::check(title, 1, TITLE_CHARACTERS, "/title", faults);
    }
    if let Some(summary) = &changes.summary {
        text::check(summary, 0, SUMMARY_CHARACTERS, "/summary", faults);
    }
    if let Some(new) = &changes.labels {
        labels(new, faults);
    }
    if let Some(services) = &changes.service_ids {
        identifiers(services, SERVICES, "/service_ids", faults);
    }
    if let Some(Some(team)) = &changes.team_id {
        ids::check(team, "/team_id", faults);
    }
    if let Some(new) = &changes.links {
        links(new, faults);
    }
    if let Some(new) = &changes.custom_fields {
        custom_fields(new, faults);
    }
}

fn labels(labels: &Labels, faults: &mut Vec<Fault>) {
    if labels.len() > LABELS {
        faults.push(Fault::new("/labels", format!("must have at most {LABELS} entries")));
    }
    for (name, value) in labels {
        let at = pointer::child("/labels", name);
        text::check(name, 1, LABEL_NAME_CHARACTERS, &at, faults);
        text::check(value, 0, LABEL_VALUE_CHARACTERS, &at, faults);
    }
}

fn identifiers<I: AsRef<str>>(set: &BTreeSet<I>, most: usize, at: &str, faults: &mut Vec<Fault>) {
    if set.len() > most {
        faults.push(Fault::new(at, format!("must have at most {most} entries")));
    }
    for (index, id) in set.iter().enumerate() {
        ids::check(id, &format!("{at}/{index}"), faults);
    }
}

fn role(role: &ResponderRole, at: &str, faults: &mut Vec<Fault>) {
    if let ResponderRole::Custom(name) = role {
        text::check(name, 1, ROLE_CHARACTERS, at, faults);
    }
}

fn source(source: &Source, faults: &mut Vec<Fault>) {
    text::check(&source.kind, 1, SOURCE_CHARACTERS, "/source/kind", faults);
    if let Some(reference) = &source.reference {
        text::check(reference, 1, SOURCE_CHARACTERS, "/source/reference", faults);
    }
}

fn links(links: &[Link], faults: &mut Vec<Fault>) {
    if links.len() > LINKS {
        faults.push(Fault::new("/links", format!("must have at most {LINKS} entries")));
    }
    for (index, link) in links.iter().enumerate() {
        let at = format!("/links/{index}/url");
        if !is_web_address(&link.url) {
            faults.push(Fault::new(&at, format!("must be an http or https address of at most {URL_BYTES} bytes")));
        }
        if crate::url::has_userinfo(&link.url) {
            faults.push(Fault::new(&at, "must not carry a user name or a password"));
        }
        if let Some(title) = &link.title {
            text::check(title, 1, LINK_TITLE_CHARACTERS, &format!("/links/{index}/title"), faults);
        }
    }
}

fn is_web_address(url: &str) -> bool {
    url.len() <= URL_BYTES
        && crate::url::host(url).is_some_and(|host| !host.is_empty())
        && !url.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn custom_fields(fields: &CustomFields, faults: &mut Vec<Fault>) {
    if fields.len() > CUSTOM_FIELDS {
        faults.push(Fault::new("/custom_fields", format!("must have at most {CUSTOM_FIELDS} entries")));
    }
    for (name, value) in fields {
        let at = pointer::child("/custom_fields", name);
        text::check(name, 1, LABEL_NAME_CHARACTERS, &at, faults);
        crate::json::check(value, CUSTOM_FIELD_DEPTH, &at, faults);
    }
    if !fields.is_empty() && crate::json::size(fields) > CUSTOM_FIELDS_BYTES {
        let most = CUSTOM_FIELDS_BYTES / 1024;
        faults.push(Fault::new("/custom_fields", format!("must have at most {most} KiB as JSON")));
    }
}

fn reason_given(reason: Option<&String>, at: &str, faults: &mut Vec<Fault>) {
    if let Some(reason) = reason {
        text::check(reason, 0, text::REASON_CHARACTERS, at, faults);
    }
}
