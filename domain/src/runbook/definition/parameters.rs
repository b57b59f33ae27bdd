//! The parameters of a runbook: a JSON Schema, bounded so that neither compiling it nor checking against it can run
//! away.
//!
//! Nothing is ever fetched. References go to `#/$defs/…` only and make no circle; counted with every reference replaced
//! by what it stands for, the schema stays below [`SCHEMA_NODES`]. Patterns are matched in linear time.

use std::collections::BTreeMap;

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use super::limits::{
    JSON_DEPTH, PARAMETERS_BYTES, PATTERN_BYTES, SCHEMA_BYTES, SCHEMA_DEPTH, SCHEMA_NODES, SCHEMA_PATTERNS,
};
use super::secrets;
use crate::{Fault, json, pointer};

/// Dialects whose meta-schema is built in.
const DIALECTS: &[&str] = &[
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
];

/// Adds every fault of the schema of a runbook's parameters.
pub(super) fn check_schema(schema: &Value, at: &str, faults: &mut Vec<Fault>) {
    let Some(map) = schema.as_object() else {
        return faults.push(Fault::new(at, "must be a JSON Schema, an object"));
    };
    if map.get("type").is_some_and(|kind| kind != "object") {
        faults.push(Fault::new(pointer::child(at, "type"), "must be \"object\": parameters have names"));
    }
    check_any_schema(schema, at, faults);
    if let Some(properties) = map.get("properties").and_then(Value::as_object) {
        check_values_of_sensitive(properties, &pointer::child(at, "properties"), faults);
    }
}

/// The same without asking that it describes an object.
pub(super) fn check_any_schema(schema: &Value, at: &str, faults: &mut Vec<Fault>) {
    let before = faults.len();
    if json::size(schema) > SCHEMA_BYTES {
        return faults.push(Fault::new(at, format!("must have at most {} KiB", SCHEMA_BYTES / 1024)));
    }
    json::check(schema, SCHEMA_DEPTH, at, faults);
    if faults.len() > before {
        return;
    }
    let dialect = schema.get("$schema").map(|uri| uri.as_str().unwrap_or_default().trim_end_matches('#'));
    if dialect.is_some_and(|uri| !DIALECTS.contains(&uri)) {
        let message = format!("must be one of {}", DIALECTS.join(", "));
        return faults.push(Fault::new(pointer::child(at, "$schema"), message));
    }
    check_references(schema, at, faults);
    if faults.len() > before {
        return;
    }
    if patterns(schema) > SCHEMA_PATTERNS {
        return faults.push(Fault::new(at, format!("must have at most {SCHEMA_PATTERNS} patterns")));
    }
    if let Err(message) = count(schema, schema, &mut BTreeMap::new()) {
        return faults.push(Fault::new(at, message));
    }
    let Ok(meta) = jsonschema::meta::validator_for(schema) else {
        return faults.push(Fault::new(at, "is of no known JSON Schema dialect"));
    };
    for error in meta.iter_errors(schema) {
        faults.push(Fault::new(format!("{at}{}", error.instance_path()), error.to_string()));
    }
    if faults.len() == before
        && let Err(error) = compile(schema)
    {
        faults.push(Fault::new(format!("{at}{}", error.schema_path()), error.to_string()));
    }
}

/// Checks what was given and returns it with the defaults of the top-level properties filled in.
pub(super) fn check_given(schema: &Value, given: &Value) -> Result<Value, Vec<Fault>> {
    let mut faults = Vec::new();
    json::check(given, JSON_DEPTH, "", &mut faults);
    let Some(given) = given.as_object() else {
        return Err(vec![Fault::new("", "must be an object")]);
    };
    if json::size(given) > PARAMETERS_BYTES {
        faults.push(Fault::new("", format!("must have at most {} KiB", PARAMETERS_BYTES / 1024)));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let filled = Value::Object(with_defaults(schema, given));
    let validator = compile(schema).map_err(|error| vec![Fault::new("", error.to_string())])?;
    faults.extend(
        validator.iter_errors(&filled).map(|error| Fault::new(error.instance_path().to_string(), error.to_string())),
    );
    if faults.is_empty() { Ok(filled) } else { Err(faults) }
}

fn with_defaults(schema: &Value, given: &Map<String, Value>) -> Map<String, Value> {
    let mut filled = given.clone();
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if let Some(default) = property.get("default") {
            filled.entry(name.clone()).or_insert_with(|| default.clone());
        }
    }
    filled
}

fn compile(schema: &Value) -> Result<Validator, jsonschema::ValidationError<'static>> {
    jsonschema::options()
        .offline()
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES))
        .build(schema)
}

/// Adds a fault for every reference that goes anywhere but to `#/$defs/…`, and for everything that could make one do
/// so.
fn check_references(schema: &Value, at: &str, faults: &mut Vec<Fault>) {
    match schema {
        Value::Object(map) => {
            for (name, item) in map {
                let at = pointer::child(at, name);
                match (name.as_str(), item) {
                    ("$ref", Value::String(target)) if definition_name(target).is_none() => {
                        faults.push(Fault::new(at, "must point to #/$defs/<name>: nothing else is ever fetched"));
                    }
                    (
                        "$id" | "id" | "$anchor" | "$dynamicRef" | "$dynamicAnchor" | "$recursiveRef"
                        | "$recursiveAnchor",
                        Value::String(_) | Value::Bool(_),
                    ) => faults.push(Fault::new(at, "is not supported: use $ref to #/$defs/<name>")),
                    _ => check_references(item, &at, faults),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_references(item, &pointer::child(at, index), faults);
            }
        }
        _ => {}
    }
}

/// `name` of `#/$defs/name`, as written: escapes are refused, they serve nobody here.
fn definition_name(target: &str) -> Option<(&'static str, &str)> {
    let (place, name) = if let Some(name) = target.strip_prefix("#/$defs/") {
        ("$defs", name)
    } else {
        ("definitions", target.strip_prefix("#/definitions/")?)
    };
    (!name.is_empty() && !name.contains(['/', '~', '%'])).then_some((place, name))
}

/// Regular expressions, each of which costs time to compile.
fn patterns(schema: &Value) -> usize {
    match schema {
        Value::Object(map) => {
            let own = usize::from(map.get("pattern").is_some_and(Value::is_string))
                + map.get("patternProperties").and_then(Value::as_object).map_or(0, Map::len);
            own + map.values().map(patterns).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(patterns).sum(),
        _ => 0,
    }
}

/// Counts the values in `part` with every reference replaced. `known` holds what is counted already, and nothing
/// (`None`) for what is being counted: meeting that again is a circle.
fn count<'s>(
    part: &'s Value,
    schema: &'s Value,
    known: &mut BTreeMap<&'s str, Option<usize>>,
) -> Result<usize, String> {
    let mut total: usize = 1;
    let mut add = |more: usize| {
        total = total.saturating_add(more);
        if total > SCHEMA_NODES { Err("is too large once its references are replaced".to_owned()) } else { Ok(()) }
    };
    match part {
        Value::Object(map) => {
            for (name, item) in map {
                match (name.as_str(), item) {
                    ("$ref", Value::String(target)) => add(count_definition(target, schema, known)?)?,
                    _ => add(count(item, schema, known)?)?,
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                add(count(item, schema, known)?)?;
            }
        }
        _ => {}
    }
    Ok(total)
}

fn count_definition<'s>(
    target: &'s str,
    schema: &'s Value,
    known: &mut BTreeMap<&'s str, Option<usize>>,
) -> Result<usize, String> {
    match known.get(target) {
        Some(Some(counted)) => return Ok(*counted),
        Some(None) => return Err(format!("has a reference to {target} within itself")),
        None => {}
    }
    let definition = definition_name(target)
        .and_then(|(place, name)| schema.get(place)?.get(name))
        .ok_or_else(|| format!("has a reference to {target}, which does not exist"))?;
    known.insert(target, None);
    if known.values().filter(|counted| counted.is_none()).count() > SCHEMA_DEPTH {
        return Err("has references that are nested too deeply".to_owned());
    }
    let counted = count(definition, schema, known)?;
    known.insert(target, Some(counted));
    Ok(counted)
}

/// A parameter that is a secret by its name must not come with a value.
fn check_values_of_sensitive(properties: &Map<String, Value>, at: &str, faults: &mut Vec<Fault>) {
    for (name, property) in properties.iter().filter(|(name, _)| secrets::is_sensitive(name)) {
        for keyword in ["default", "const", "enum", "examples"] {
            if property.get(keyword).is_some_and(|value| !value.is_null()) {
                let at = pointer::child(&pointer::child(at, name), keyword);
                faults.push(Fault::new(at, "would put a secret in clear into the definition"));
            }
        }
    }
}
