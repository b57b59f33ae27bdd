//! The parameter schema: bounded, offline, and asked before anything is executed.

use std::time::{Duration, Instant};

use domain::runbook::definition::parse;
use serde_json::{Map, Value, json};

use super::samples;

fn faults_of(schema: &Value) -> Vec<(String, String)> {
    let mut body = samples::short_body();
    body["parameters"] = schema.clone();
    body["payload_template"] = json!({});
    parse(&body).err().unwrap_or_default().into_iter().map(|fault| (fault.pointer, fault.message)).collect()
}

#[track_caller]
fn refused(schema: &Value, pointer: &str, part: &str) {
    let faults = faults_of(schema);
    assert!(
        faults.iter().any(|(at, message)| at == pointer && message.contains(part)),
        "expected {part:?} at {pointer}: {faults:?}"
    );
}

#[test]
fn usual_schemas_are_fine() {
    for schema in [
        json!({}),
        json!({"type": "object"}),
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"type": "string"}}}),
        json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a"}}}),
        json!({"properties": {"at": {"type": "string", "format": "date-time"}, "n": {"pattern": "^(a+)+$"}}}),
    ] {
        assert_eq!(faults_of(&schema), [], "{schema}");
    }
}

#[test]
fn what_a_schema_must_not_be() {
    refused(&json!("text"), "/parameters", "an object");
    refused(&json!({"type": "array"}), "/parameters/type", "must be \"object\"");
    refused(&json!({"properties": {"a": {"type": "strnig"}}}), "/parameters/properties/a/type", "");
    refused(&json!({"$schema": "https://example.com/own"}), "/parameters/$schema", "must be one of");
    refused(&json!({"properties": {"a": {"pattern": "("}}}), "/parameters/properties/a/pattern", "");
    refused(&json!({"properties": {"a": {"pattern": "(?=x)"}}}), "/parameters/properties/a/pattern", "");
}

#[test]
fn nothing_is_ever_fetched() {
    for target in [
        "https://example.com/schema.json",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "other.json",
        "other.json#/$defs/a",
        "#/properties/a",
        "#a",
        "#",
        "",
    ] {
        refused(&json!({"properties": {"a": {"$ref": target}}}), "/parameters/properties/a/$ref", "$defs");
    }
    refused(&json!({"$id": "https://example.com/"}), "/parameters/$id", "not supported");
    refused(&json!({"$dynamicRef": "#a"}), "/parameters/$dynamicRef", "not supported");
    refused(&json!({"properties": {"a": {"$ref": "#/$defs/b"}}}), "/parameters", "does not exist");
}

#[test]
fn a_circle_is_refused() {
    refused(
        &json!({"$defs": {"a": {"$ref": "#/$defs/a"}}, "properties": {"x": {"$ref": "#/$defs/a"}}}),
        "/parameters",
        "within itself",
    );
    let two = json!({"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"not": {"$ref": "#/$defs/a"}}}});
    refused(&two, "/parameters", "within itself");
}

#[test]
fn a_schema_cannot_explode() {
    // Each definition names the next one twice: 2^20 once replaced.
    let mut defs = Map::new();
    for n in 0..20 {
        let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
        defs.insert(format!("d{n}"), json!({"allOf": [next, next]}));
    }
    defs.insert("d20".to_owned(), json!({"type": "string"}));
    let start = Instant::now();
    refused(&json!({"$defs": defs, "properties": {"x": {"$ref": "#/$defs/d0"}}}), "/parameters", "too large");
    assert!(start.elapsed() < Duration::from_secs(2));

    let mut deep = json!({"type": "string"});
    for _ in 0..30 {
        deep = json!({"not": deep});
    }
    assert!(faults_of(&json!({"properties": {"x": deep}})).iter().any(|(_, m)| m.contains("too deeply")));
    let many: Map<_, _> = (0..51).map(|n| (format!("p{n}"), json!({"pattern": "^a+$"}))).collect();
    refused(&json!({"properties": many}), "/parameters", "50 patterns");
    let large = json!({"description": "x".repeat(70_000)});
    refused(&large, "/parameters", "64 KiB");
}

#[test]
fn given_parameters_are_checked_and_completed() {
    let definition = samples::definition(&samples::full_body());
    let checked = definition.check_parameters(&json!({"cluster": "main"})).unwrap();
    assert_eq!(checked, json!({"cluster": "main", "dry_run": false}));
    let kept = definition.check_parameters(&json!({"cluster": "main", "dry_run": true})).unwrap();
    assert_eq!(kept["dry_run"], true);

    let faults = definition.check_parameters(&json!({"cluster": 7, "hosts": ["a", 1], "other": 1})).unwrap_err();
    let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert!(pointers.contains(&"/cluster") && pointers.contains(&"/hosts/1"), "{faults:?}");
    assert_eq!(definition.check_parameters(&json!([])).unwrap_err()[0].message, "must be an object");
    let large = json!({"cluster": "a".repeat(70_000)});
    assert!(definition.check_parameters(&large).unwrap_err()[0].message.contains("64 KiB"));
    assert!(definition.check_parameters(&json!({"cluster": "a\0"})).is_err());
}

#[test]
fn a_pattern_is_matched_in_linear_time() {
    let mut body = samples::short_body();
    body["parameters"] = json!({"properties": {"service": {"type": "string", "pattern": "^(a+)+$"}}});
    let definition = samples::definition(&body);
    let start = Instant::now();
    assert!(definition.check_parameters(&json!({"service": "a".repeat(50_000) + "!"})).is_err());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}
