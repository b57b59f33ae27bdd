//! What is different between two definitions, as somebody would tell it who decides on the later one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use super::Definition;
use crate::pointer;

/// One difference. The pointer is into the later definition; into the earlier one for what was removed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub pointer: String,
    pub op: Op,
    /// What there was, absent where something was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What there is, absent where something was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    Add,
    Remove,
    Replace,
    /// The same steps in another order: `from` and `to` are the ids of those that are in both.
    Reorder,
}

impl Definition {
    /// Every difference from an earlier definition. Steps are told apart by their ids, so that one that moved or that
    /// another one was put before is not taken for a different one.
    pub fn differences(&self, earlier: &Self) -> Vec<Difference> {
        let json = |definition: &Self| serde_json::to_value(definition).unwrap_or_default();
        let mut found = Vec::new();
        compare("", &json(earlier), &json(self), &mut found);
        found
    }
}

fn compare(at: &str, from: &Value, to: &Value, found: &mut Vec<Difference>) {
    if from == to {
        return;
    }
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => compare_objects(at, from, to, found),
        (Value::Array(from), Value::Array(to)) => match (by_id(from), by_id(to)) {
            (Some(from), Some(to)) => compare_steps(at, &from, &to, found),
            _ if from.iter().chain(to).all(is_container) => compare_places(at, from, to, found),
            _ => found.push(replaced(at, Value::from(from.clone()), Value::from(to.clone()))),
        },
        _ => found.push(replaced(at, from.clone(), to.clone())),
    }
}

fn compare_objects(at: &str, from: &Map<String, Value>, to: &Map<String, Value>, found: &mut Vec<Difference>) {
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    for name in names {
        let at = pointer::child(at, name);
        match (from.get(name), to.get(name)) {
            (Some(from), Some(to)) => compare(&at, from, to, found),
            (from, to) => found.extend(only_one(&at, from, to)),
        }
    }
}

fn compare_places(at: &str, from: &[Value], to: &[Value], found: &mut Vec<Difference>) {
    for index in 0..from.len().max(to.len()) {
        let at = pointer::child(at, index);
        match (from.get(index), to.get(index)) {
            (Some(from), Some(to)) => compare(&at, from, to, found),
            (from, to) => found.extend(only_one(&at, from, to)),
        }
    }
}

/// A list of steps: their ids in order, and where each is.
struct Steps<'v> {
    ids: Vec<&'v str>,
    places: BTreeMap<&'v str, (usize, &'v Value)>,
}

/// None: not everything in it has an id of its own.
fn by_id(list: &[Value]) -> Option<Steps<'_>> {
    let ids: Vec<&str> = list.iter().map(|item| item.get("id")?.as_str()).collect::<Option<_>>()?;
    let places: BTreeMap<_, _> = ids.iter().copied().zip(list.iter().enumerate()).collect();
    (places.len() == ids.len()).then_some(Steps { ids, places })
}

fn compare_steps(at: &str, from: &Steps<'_>, to: &Steps<'_>, found: &mut Vec<Difference>) {
    let only = |steps: &Steps<'_>, others: &Steps<'_>| -> Vec<Value> {
        steps.ids.iter().filter(|id| others.places.contains_key(*id)).map(|id| Value::from(*id)).collect()
    };
    let (before, after) = (only(from, to), only(to, from));
    if before != after {
        let (from, to) = (Some(before.into()), Some(after.into()));
        found.push(Difference { pointer: at.to_owned(), op: Op::Reorder, from, to });
    }
    for (index, gone) in from.ids.iter().filter(|id| !to.places.contains_key(*id)).map(|id| from.places[id]) {
        found.extend(only_one(&pointer::child(at, index), Some(gone), None));
    }
    for id in &to.ids {
        let (index, step) = to.places[id];
        let at = pointer::child(at, index);
        match from.places.get(id) {
            Some((_, earlier)) => compare(&at, earlier, step, found),
            None => found.extend(only_one(&at, None, Some(step))),
        }
    }
}

fn only_one(at: &str, from: Option<&Value>, to: Option<&Value>) -> Option<Difference> {
    let op = match (from, to) {
        (None, Some(_)) => Op::Add,
        (Some(_), None) => Op::Remove,
        _ => return None,
    };
    Some(Difference { pointer: at.to_owned(), op, from: from.cloned(), to: to.cloned() })
}

fn replaced(at: &str, from: Value, to: Value) -> Difference {
    Difference { pointer: at.to_owned(), op: Op::Replace, from: Some(from), to: Some(to) }
}

fn is_container(value: &Value) -> bool {
    value.is_array() || value.is_object()
}
