//! The only road from an untrusted body to a definition: every field, and every fault.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::action::Action;
use super::limits::{
    CHANGE_NOTE_CHARACTERS, DEFAULT_TIMEOUT_SECONDS, DEFINITION_BYTES, DESCRIPTION_CHARACTERS, FAULTS, JSON_DEPTH,
    NAME_CHARACTERS, TAG_CHARACTERS, TAGS, TIMEOUT_SECONDS, VARIABLES,
};
use super::outward::{self, WEBHOOK_SHORT};
use super::reader::Reader;
use super::scope::Scope;
use super::step::{Effect, ErrorClass, OnFailure, Retry, Step};
use super::steps::Steps;
use super::{Concurrency, ConcurrencyLimits, Definition, Submission, parameters, secrets};
use crate::ids::TeamId;
use crate::{Fault, json, pointer, text};

/// Reads the body that creates or edits a runbook, in its long form (`steps`) or its short one (`webhook_url`…).
pub fn parse(body: &Value) -> Result<Submission, Vec<Fault>> {
    let mut faults = Vec::new();
    if json::size(body) > DEFINITION_BYTES {
        return Err(vec![Fault::new("", format!("must have at most {} KiB", DEFINITION_BYTES / 1024))]);
    }
    json::check(body, JSON_DEPTH, "", &mut faults);
    // Nothing recurses into what is nested too deeply, and what holds a NUL is not worth a second look.
    if !faults.is_empty() {
        return Err(listed(faults));
    }
    secrets::check_everywhere(body, "", &mut faults);
    let submission = Reader::open(body, "", &mut faults).and_then(|reader| read(reader, &mut faults));
    match submission {
        Some(submission) if faults.is_empty() => Ok(submission),
        _ => Err(listed(faults)),
    }
}

/// The first faults; a body made of nothing but faults must not make a larger answer.
fn listed(mut faults: Vec<Fault>) -> Vec<Fault> {
    if faults.len() > FAULTS {
        let more = faults.len() - FAULTS;
        faults.truncate(FAULTS);
        faults.push(Fault::new("", format!("and {more} more")));
    }
    faults
}

fn read(mut reader: Reader, faults: &mut Vec<Fault>) -> Option<Submission> {
    let name = reader.required_text("name", 1..=NAME_CHARACTERS, faults);
    let description = reader.required_text("description", 1..=DESCRIPTION_CHARACTERS, faults);
    let team_id = reader.identifier("team_id", faults).map(TeamId::new);
    let environment = reader.identifier("environment", faults);
    let tags = read_tags(&mut reader, faults);
    let parameters = reader.value("parameters").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    parameters::check_schema(&parameters, "/parameters", faults);
    let variables = read_variables(&mut reader, faults);
    let timeout_seconds = reader.number("timeout_seconds", TIMEOUT_SECONDS, faults).unwrap_or(DEFAULT_TIMEOUT_SECONDS);
    let concurrency = read_concurrency(&mut reader, faults);
    let change_note = reader.text("change_note", 0..=CHANGE_NOTE_CHARACTERS, faults);
    let scope = Scope::new(variables.keys().cloned().collect(), &parameters);
    let steps = read_steps(&mut reader, &scope, faults);
    reader.close(faults);
    let definition = Definition {
        name: name.trim().to_owned(),
        description: description.trim().to_owned(),
        team_id,
        tags,
        environment,
        parameters,
        variables,
        steps: steps?,
        timeout_seconds,
        concurrency,
    };
    Some(Submission { definition, change_note: text::trimmed(change_note.as_deref()) })
}

fn read_tags(reader: &mut Reader, faults: &mut Vec<Fault>) -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    for (index, tag) in reader.list("tags", TAGS, faults).unwrap_or_default().iter().enumerate() {
        let at = format!("/tags/{index}");
        match tag.as_str() {
            Some(tag) => {
                text::check(tag, 1, TAG_CHARACTERS, &at, faults);
                tags.insert(tag.trim().to_owned());
            }
            None => faults.push(Fault::new(at, "must be a string")),
        }
    }
    tags
}

/// Variables are constants. One that looks like a template would disappoint.
fn read_variables(reader: &mut Reader, faults: &mut Vec<Fault>) -> BTreeMap<String, Value> {
    let mut variables = BTreeMap::new();
    for (name, value) in reader.map("variables", VARIABLES, faults).into_iter().flatten() {
        let at = pointer::child("/variables", name);
        if !super::steps::is_step_id(name) {
            faults.push(Fault::new(&at, "must be named by a letter, then letters, digits and '_', at most 64"));
        }
        if value.to_string().contains("{{") {
            faults.push(Fault::new(&at, "has an expression, but variables are constants"));
        }
        secrets::check_named(name, value, &at, faults);
        secrets::check_fields(value, &at, faults);
        variables.insert(name.clone(), value.clone());
    }
    variables
}

fn read_concurrency(reader: &mut Reader, faults: &mut Vec<Fault>) -> Concurrency {
    const MOST: u64 = 10_000;
    let Some(value) = reader.value("concurrency") else { return Concurrency::default() };
    let Some(mut reader) = Reader::open(value, "/concurrency", faults) else { return Concurrency::default() };
    let policy = reader.one("policy", faults).unwrap_or_default();
    let mut limits = ConcurrencyLimits::default();
    if let Some(value) = reader.value("limits")
        && let Some(mut reader) = Reader::open(value, "/concurrency/limits", faults)
    {
        limits = ConcurrencyLimits {
            per_runbook: reader.number("per_runbook", 1..=MOST, faults),
            per_target: reader.number("per_target", 1..=MOST, faults),
            per_team: reader.number("per_team", 1..=MOST, faults),
            runs_per_hour: reader.number("runs_per_hour", 1..=MOST, faults),
            targets: reader.number("targets", 1..=MOST, faults),
        };
        reader.close(faults);
    }
    reader.close(faults);
    Concurrency { policy, limits }
}

fn read_steps(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> Option<Vec<Step>> {
    // All of them are asked for, so that none is called unknown.
    let short = WEBHOOK_SHORT.fields().into_iter().filter(|field| reader.value(field).is_some()).count() > 0;
    match (reader.value("steps"), short) {
        (Some(_), true) => {
            faults.push(Fault::new("/steps", "and the short form (webhook_url and so on) exclude each other"));
            None
        }
        (None, true) => Some(vec![short_form(reader, scope, faults)?]),
        (Some(value), false) => {
            let mut steps = Steps::new(faults);
            let read = steps.read_list(value, "/steps", &mut scope.clone(), 1);
            steps.finish();
            Some(read)
        }
        (None, false) => {
            faults.push(Fault::new("/steps", "is required, or the short form with webhook_url"));
            None
        }
    }
}

/// One webhook, tried again as the seeds ask: three times, with growing delays from one second on.
fn short_form(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> Option<Step> {
    let webhook = outward::read_webhook(reader, &WEBHOOK_SHORT, scope, faults)?;
    Some(Step {
        id: "webhook".to_owned(),
        name: None,
        when: None,
        timeout_seconds: None,
        retry: Some(Retry {
            max_attempts: 4,
            initial_delay: 1,
            multiplier: 2.0,
            max_delay: 30,
            // Not where no answer came: then nobody knows whether it has happened.
            on: [ErrorClass::Connection, ErrorClass::RateLimited, ErrorClass::ServerError].into(),
        }),
        on_failure: OnFailure::Abort,
        compensate: None,
        outputs: BTreeMap::new(),
        effect: Effect::Unsafe,
        action: Action::Webhook(webhook),
    })
}
