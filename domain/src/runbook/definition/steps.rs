//! Reads lists of steps and what all steps have in common.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::action::Action;
use super::limits::{ATTEMPTS, OUTPUTS, RETRY_DELAY_SECONDS, STEP_DEPTH, STEP_ID_BYTES, STEP_TIMEOUT_SECONDS, STEPS};
use super::reader::Reader;
use super::scope::Scope;
use super::step::{Effect, ErrorClass, OnFailure, Retry, Step};
use super::{conditions, connected, control, outward};
use crate::{Fault, pointer};

/// Everything that is read so far, over all lists.
pub(super) struct Steps<'f> {
    pub faults: &'f mut Vec<Fault>,
    ids: BTreeSet<String>,
    count: usize,
}

impl<'f> Steps<'f> {
    pub(super) fn new(faults: &'f mut Vec<Fault>) -> Self {
        Self { faults, ids: BTreeSet::new(), count: 0 }
    }

    pub(super) fn finish(self) {
        if self.count > STEPS {
            let message = format!("must have at most {STEPS} steps in total, sub-steps and compensations counted");
            self.faults.push(Fault::new("/steps", message));
        }
    }

    /// Reads one list; `scope` comes out knowing its steps.
    pub(super) fn read_list(&mut self, value: &Value, at: &str, scope: &mut Scope, depth: usize) -> Vec<Step> {
        let Some(items) = value.as_array() else {
            self.faults.push(Fault::new(at, "must be a list of steps"));
            return vec![];
        };
        if items.is_empty() {
            self.faults.push(Fault::new(at, "must have at least one step"));
        }
        if depth > STEP_DEPTH {
            self.faults.push(Fault::new(at, format!("must nest steps at most {STEP_DEPTH} levels deep")));
            return vec![];
        }
        let mut steps = Vec::with_capacity(items.len().min(STEPS));
        for (index, item) in items.iter().enumerate() {
            if let Some(step) = self.read_step(item, &pointer::child(at, index), scope, depth) {
                scope.add_step(&step.id);
                steps.push(step);
            }
        }
        self.check_jumps(items, at);
        steps
    }

    fn read_step(&mut self, value: &Value, at: &str, scope: &mut Scope, depth: usize) -> Option<Step> {
        self.count += 1;
        // Far beyond the limit there is nothing left to learn.
        if self.count > STEPS * 2 {
            return None;
        }
        let mut reader = Reader::open(value, at, self.faults)?;
        let id = self.read_id(&mut reader);
        let name = reader.text("name", 1..=100, self.faults);
        let when = reader.string("when", self.faults).map(str::to_owned);
        if let Some(when) = &when {
            conditions::check(when, scope, &reader.child("when"), self.faults);
        }
        let timeout_seconds = reader.number("timeout_seconds", STEP_TIMEOUT_SECONDS, self.faults);
        let retry = read_retry(&mut reader, self.faults);
        let on_failure = reader.string("on_failure", self.faults).map_or(OnFailure::Abort, |s| s.to_owned().into());
        let outputs = read_outputs(&mut reader, self.faults);
        let effect = reader.one::<Effect>("effect", self.faults);
        let compensation = reader.value("compensate");
        let action = self.read_action(&mut reader, scope, depth);
        let compensate = compensation.and_then(|value| {
            let mut scope = scope.clone();
            scope.add_step(&id);
            self.read_compensation(value, &reader.child("compensate"), &mut scope)
        });
        // Which fields there may be depends on the type; without one that is known all would be called unknown.
        if Action::TYPES.contains(&reader.string("type", &mut vec![]).unwrap_or_default()) {
            reader.close(self.faults);
        }
        let action = action?;
        let effect = effect.unwrap_or_else(|| action.usual_effect());
        if effect == Effect::Unsafe && retry.as_ref().is_some_and(|retry| retry.on.contains(&ErrorClass::Timeout)) {
            let message = "must not hold timeout while the effect is unsafe: it may have happened already";
            self.faults.push(Fault::new(format!("{at}/retry/on"), message));
        }
        Some(Step { id, name, when, timeout_seconds, retry, on_failure, compensate, outputs, effect, action })
    }

    fn read_id(&mut self, reader: &mut Reader) -> String {
        let id = reader.required_string("id", self.faults).to_owned();
        if id.is_empty() {
            return id;
        }
        if !is_step_id(&id) {
            // Hyphens would be minus signs in conditions.
            let message = format!("must be a letter, then letters, digits and '_', at most {STEP_ID_BYTES}");
            self.faults.push(Fault::new(reader.child("id"), message));
        }
        if !self.ids.insert(id.clone()) {
            self.faults.push(Fault::new(reader.child("id"), format!("'{id}' is the id of another step already")));
        }
        id
    }

    fn read_action(&mut self, reader: &mut Reader, scope: &mut Scope, depth: usize) -> Option<Action> {
        let kind = reader.required_string("type", self.faults);
        let faults = &mut *self.faults;
        match kind {
            "" => None,
            "http" => Some(Action::Http(outward::read_http(reader, scope, faults))),
            "webhook" => outward::read_webhook(reader, &outward::WEBHOOK, scope, faults).map(Action::Webhook),
            "sql" => Some(Action::Sql(outward::read_sql(reader, scope, faults))),
            "shell" => Some(Action::Shell(outward::read_shell(reader, scope, faults))),
            "script" => outward::read_script(reader, scope, faults).map(Action::Script),
            "manual_approval" => Some(Action::ManualApproval(control::read_approval(reader, scope, faults))),
            "wait" => Some(Action::Wait(control::read_wait(reader, scope, faults))),
            "conditional" => Some(Action::Conditional(self.read_conditional(reader, scope, depth))),
            "parallel" => Some(Action::Parallel(self.read_parallel(reader, scope, depth))),
            "for_each" => Some(Action::ForEach(self.read_for_each(reader, scope, depth))),
            "sub_runbook" => Some(Action::SubRunbook(connected::read_sub_runbook(reader, scope, faults))),
            "ai" => Some(Action::Ai(connected::read_ai(reader, scope, faults))),
            "incident" => connected::read_incident(reader, scope, faults).map(Action::Incident),
            "notify" => Some(Action::Notify(connected::read_notify(reader, scope, faults))),
            "connector" => Some(Action::Connector(connected::read_connector(reader, scope, faults))),
            other => {
                let known = Action::TYPES.join(", ");
                faults.push(Fault::new(reader.child("type"), format!("'{other}' is unknown: there are {known}")));
                None
            }
        }
    }

    /// A compensation is one plain step that has no compensation of its own.
    fn read_compensation(&mut self, value: &Value, at: &str, scope: &mut Scope) -> Option<Box<Step>> {
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
        if matches!(kind, "conditional" | "parallel" | "for_each") {
            self.faults.push(Fault::new(pointer::child(at, "type"), "must be a plain step, not one made of steps"));
            return None;
        }
        if value.get("compensate").is_some_and(|nested| !nested.is_null()) {
            self.faults.push(Fault::new(pointer::child(at, "compensate"), "must not stand within a compensation"));
            return None;
        }
        if value.get("on_failure").and_then(Value::as_str).is_some_and(|text| text != "abort" && text != "continue") {
            self.faults.push(Fault::new(pointer::child(at, "on_failure"), "must be abort or continue here"));
        }
        self.read_step(value, at, scope, STEP_DEPTH).map(Box::new)
    }

    /// A jump goes forward within its list: so every execution ends.
    fn check_jumps(&mut self, items: &[Value], at: &str) {
        let id = |item: &Value| item.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        for (index, item) in items.iter().enumerate() {
            let Some(text) = item.get("on_failure").and_then(Value::as_str) else { continue };
            let message = match text.strip_prefix("step:") {
                None if text == "abort" || text == "continue" => continue,
                None => "must be abort, continue or step:<id>".to_owned(),
                Some(target) if items[index + 1..].iter().any(|later| id(later) == target) => continue,
                Some(target) if items[..=index].iter().any(|earlier| id(earlier) == target) => {
                    format!("must jump forward, and '{target}' is this step or an earlier one")
                }
                Some(target) => format!("jumps to '{target}', which is no later step of the same list"),
            };
            self.faults.push(Fault::new(format!("{at}/{index}/on_failure"), message));
        }
    }
}

/// Also the form of the names of variables and outputs.
pub(super) fn is_step_id(id: &str) -> bool {
    id.len() <= STEP_ID_BYTES
        && id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn read_retry(reader: &mut Reader, faults: &mut Vec<Fault>) -> Option<Retry> {
    let value = reader.value("retry")?;
    let mut reader = Reader::open(value, reader.child("retry"), faults)?;
    reader.required("max_attempts", faults);
    let retry = Retry {
        max_attempts: reader.number("max_attempts", ATTEMPTS, faults).unwrap_or(1),
        initial_delay: reader.number("initial_delay", RETRY_DELAY_SECONDS, faults).unwrap_or(1),
        multiplier: reader.one::<f64>("multiplier", faults).unwrap_or(2.0),
        max_delay: reader.number("max_delay", RETRY_DELAY_SECONDS, faults).unwrap_or(60),
        on: reader
            .one("on", faults)
            .unwrap_or_else(|| [ErrorClass::Connection, ErrorClass::RateLimited, ErrorClass::ServerError].into()),
    };
    if !(1.0..=10.0).contains(&retry.multiplier) {
        faults.push(Fault::new(reader.child("multiplier"), "must be a number from 1 to 10"));
    }
    if retry.max_delay < retry.initial_delay {
        faults.push(Fault::new(reader.child("max_delay"), "must not be less than initial_delay"));
    }
    reader.close(faults);
    Some(retry)
}

fn read_outputs(reader: &mut Reader, faults: &mut Vec<Fault>) -> BTreeMap<String, String> {
    let at = reader.child("outputs");
    let mut outputs = BTreeMap::new();
    for (name, value) in reader.map("outputs", OUTPUTS, faults).into_iter().flatten() {
        let at = pointer::child(&at, name);
        if !is_step_id(name) {
            faults.push(Fault::new(&at, "must be named by a letter, then letters, digits and '_', at most 64"));
        }
        match value.as_str() {
            Some(path) if is_pointer(path) => {
                outputs.insert(name.clone(), path.to_owned());
            }
            _ => faults.push(Fault::new(&at, "must be a JSON Pointer into the result, like /body/id")),
        }
    }
    outputs
}

fn is_pointer(text: &str) -> bool {
    let escapes_known = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.len() <= 256 && (text.is_empty() || text.starts_with('/')) && escapes_known
}
