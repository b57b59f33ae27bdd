//! Reads the step types that steer: conditional, parallel, `for_each`, `wait`, `manual_approval`.

use serde_json::Value;

use super::action::{ApproverRole, Callback, Conditional, Eligible, ForEach, ManualApproval, Parallel, Wait};
use super::limits::{BRANCHES, DECISION_SECONDS, DEFAULT_DECISION_SECONDS, ITEMS, MESSAGE_CHARACTERS, WAIT_SECONDS};
use super::reader::Reader;
use super::scope::{Scope, Secrets};
use super::step::Step;
use super::steps::Steps;
use super::templates::{self, Piece};
use super::{conditions, connected};
use crate::{Fault, ids};

impl Steps<'_> {
    /// Afterwards the steps of both sides are known. One that did not run has no outputs, and an expression over them
    /// fails.
    pub(super) fn read_conditional(&mut self, reader: &mut Reader, scope: &mut Scope, depth: usize) -> Conditional {
        let condition = reader.required_string("condition", self.faults).to_owned();
        if !condition.is_empty() {
            conditions::check(&condition, scope, &reader.child("condition"), self.faults);
        }
        let before = scope.clone();
        let then = match reader.required("then", self.faults) {
            Some(value) => self.read_list(value, &reader.child("then"), scope, depth + 1),
            None => vec![],
        };
        // The two sides never run both.
        let mut otherwise = before;
        let r#else = match reader.value("else") {
            Some(value) => self.read_list(value, &reader.child("else"), &mut otherwise, depth + 1),
            None => vec![],
        };
        for step in &r#else {
            scope.add_step(&step.id);
        }
        Conditional { condition, then, r#else }
    }

    /// Branches run at the same time, so none knows the steps of another one.
    pub(super) fn read_parallel(&mut self, reader: &mut Reader, scope: &mut Scope, depth: usize) -> Parallel {
        reader.required("branches", self.faults);
        let at = reader.child("branches");
        let values = reader.list("branches", BRANCHES, self.faults).unwrap_or_default();
        if values.len() == 1 {
            self.faults.push(Fault::new(&at, "must have at least two branches"));
        }
        let mut branches: Vec<Vec<Step>> = Vec::with_capacity(values.len().min(BRANCHES));
        for (index, value) in values.iter().enumerate() {
            branches.push(self.read_list(value, &format!("{at}/{index}"), &mut scope.clone(), depth + 1));
        }
        branches.iter().flatten().for_each(|step| scope.add_step(&step.id));
        Parallel { branches, max_parallel: reader.number("max_parallel", 1..=20, self.faults) }
    }

    /// Its steps run once for each item; outside nobody could say which run is meant.
    pub(super) fn read_for_each(&mut self, reader: &mut Reader, scope: &mut Scope, depth: usize) -> ForEach {
        let at = reader.child("items");
        let items = reader.required("items", self.faults).cloned().unwrap_or_default();
        match &items {
            Value::Null => {}
            Value::String(text) if !is_one_expression(text) => {
                self.faults.push(Fault::new(&at, "must be a list, or exactly one expression that gives a list"));
            }
            Value::String(_) | Value::Array(_) => {
                templates::check_json(&items, scope, Secrets::Refused, &at, self.faults);
            }
            _ => self.faults.push(Fault::new(&at, "must be a list, or exactly one expression that gives a list")),
        }
        if items.as_array().is_some_and(|items| items.len() as u64 > ITEMS) {
            self.faults.push(Fault::new(&at, format!("must have at most {ITEMS} entries")));
        }
        let steps = match reader.required("steps", self.faults) {
            Some(value) => self.read_list(value, &reader.child("steps"), &mut scope.within_for_each(), depth + 1),
            None => vec![],
        };
        let max_items = reader.number("max_items", 1..=ITEMS, self.faults).unwrap_or(100);
        let max_parallel = reader.number("max_parallel", 1..=20, self.faults).unwrap_or(1);
        ForEach { items, steps, max_items, max_parallel }
    }
}

fn is_one_expression(text: &str) -> bool {
    matches!(templates::pieces(text.trim()).as_deref(), Ok([Piece::Value(_)]))
}

pub(super) fn read_wait(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> Wait {
    let duration_seconds = reader.number("duration_seconds", WAIT_SECONDS, faults);
    let until = reader.string("until", faults).map(str::to_owned);
    if let Some(until) = &until {
        let at = reader.child("until");
        templates::check(until, scope, Secrets::Refused, &at, faults);
        if !until.contains("{{") && until.parse::<jiff::Timestamp>().is_err() {
            faults.push(Fault::new(at, "must be a time like 2030-01-31T12:00:00Z"));
        }
    }
    let callback = reader.value("callback").and_then(|value| {
        let mut reader = Reader::open(value, reader.child("callback"), faults)?;
        let timeout_seconds = reader.number("timeout_seconds", WAIT_SECONDS, faults).unwrap_or(3_600);
        reader.close(faults);
        Some(Callback { timeout_seconds })
    });
    let given = ["duration_seconds", "until", "callback"].into_iter().filter(|name| reader.value(name).is_some());
    if given.count() != 1 {
        faults.push(Fault::new(&reader.at, "must have exactly one of duration_seconds, until and callback"));
    }
    Wait { duration_seconds, until, callback }
}

pub(super) fn read_approval(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> ManualApproval {
    let message = connected::required_message(reader, "message", MESSAGE_CHARACTERS, scope, faults);
    let mut eligible = Eligible::default();
    if let Some(value) = reader.value("eligible")
        && let Some(mut reader) = Reader::open(value, reader.child("eligible"), faults)
    {
        eligible.roles = reader.one::<std::collections::BTreeSet<ApproverRole>>("roles", faults).unwrap_or_default();
        eligible.teams = reader.one("teams", faults).unwrap_or_default();
        eligible.users = reader.one("users", faults).unwrap_or_default();
        if eligible.teams.len() + eligible.users.len() > 100 {
            faults.push(Fault::new(&reader.at, "must name at most 100 teams and users"));
        }
        eligible.teams.iter().for_each(|id| ids::check(id, &reader.child("teams"), faults));
        eligible.users.iter().for_each(|id| ids::check(id, &reader.child("users"), faults));
        reader.close(faults);
    }
    ManualApproval {
        message,
        eligible,
        quorum: reader.number("quorum", 1..=20, faults).unwrap_or(1),
        four_eyes: reader.flag("four_eyes", faults).unwrap_or(true),
        expires_in_seconds: reader
            .number("expires_in_seconds", DECISION_SECONDS, faults)
            .unwrap_or(DEFAULT_DECISION_SECONDS),
    }
}
