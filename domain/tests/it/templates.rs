//! Templates: what may stand in a string, and what not.

use domain::runbook::definition::parse;
use domain::runbook::definition::templates::{Piece, pieces};
use serde_json::json;

use super::samples;

/// What is wrong with a runbook whose payload has this leaf.
fn complaint(leaf: &str) -> Option<String> {
    let mut body = samples::short_body();
    body["payload_template"] = json!({"deep": [{"leaf": leaf}]});
    let faults = parse(&body).err()?;
    assert!(faults.iter().all(|fault| fault.pointer == "/payload_template/deep/0/leaf"), "{faults:?}");
    Some(faults[0].message.clone())
}

#[test]
fn usual_leaves_are_fine() {
    for leaf in [
        "plain",
        "{ one brace }",
        "{{params.service}}",
        "  {{ incident.title }} and {{execution.id}}",
        "{{params.list.0.name}}",
        "{{#if params.a}}yes{{else}}no{{/if}}",
        "{{#unless params.a}}{{#if params.b}}x{{/if}}{{/unless}}",
        "key {{secrets.API_KEY}}",
        "}} closes nothing",
    ] {
        assert_eq!(complaint(leaf), None, "{leaf}");
    }
}

#[test]
fn what_a_leaf_must_not_have() {
    for (leaf, part) in [
        ("{{params.service", "without '}}'"),
        ("{{}}", "not a path"),
        ("{{params..x}}", "not a path"),
        ("{{{params.service}}}", "not a path"),
        ("{{> partial}}", "not a path"),
        ("{{! comment}}", "not a path"),
        ("{{&params.x}}", "not a path"),
        ("{{~params.x}}", "not a path"),
        ("{{lookup params 'x'}}", "not a path"),
        ("{{this}}", "not a path"),
        ("{{../params}}", "not a path"),
        ("{{@root.params}}", "not a path"),
        ("{{params.[x]}}", "not a path"),
        ("{{#each params.list}}x{{/each}}", "#each"),
        ("{{#if params.a}}x", "without '{{/if}}'"),
        ("{{#if params.a}}x{{/unless}}", "not open"),
        ("{{/if}}", "not open"),
        ("{{else}}", "without '{{#if}}'"),
        ("{{#if params.a}}{{else}}{{else}}{{/if}}", "without '{{#if}}'"),
        ("{{#if}}x{{/if}}", "not a path"),
        ("\\{{params.x}}", "escaping"),
        ("{{env.HOME}}", "unknown"),
        ("{{item}}", "unknown"),
        ("{{steps.later.outputs.x}}", "no step 'later'"),
        ("{{steps.later}}", "steps.<id>.outputs"),
        ("{{runbook.definition}}", "only id, name and version"),
        ("{{execution.secret}}", "only its id"),
        ("{{secrets}}", "secrets.<NAME>"),
        ("{{secrets.A.b}}", "secrets.<NAME>"),
    ] {
        let found = complaint(leaf).unwrap_or_default();
        assert!(found.contains(part), "{leaf}: {found:?}");
    }
}

#[test]
fn templates_are_bounded_before_the_parser_sees_them() {
    let nested = "{{#if params.a}}".repeat(600) + &"{{/if}}".repeat(600);
    assert!(complaint(&nested).unwrap().contains("at most 4 blocks"));
    assert!(complaint(&"{{params.a}}".repeat(500)).unwrap().contains("at most 200 expressions"));
    assert!(complaint(&"x".repeat(17 * 1024)).unwrap().contains("16 KiB"));
    assert!(complaint(&"(".repeat(10_000)).is_none(), "it is only text");
    assert!(complaint(&format!("{{{{a {}}}}}", "(a ".repeat(4_000))).unwrap().contains("not a path"));
}

#[test]
fn names_are_never_rendered() {
    let mut body = samples::short_body();
    body["payload_template"] = json!({"{{params.service}}": 1});
    let faults = parse(&body).unwrap_err();
    assert_eq!(faults[0].pointer, "/payload_template/{{params.service}}");
}

#[test]
fn a_payload_that_is_text_is_parsed_when_it_is_saved() {
    let mut body = samples::short_body();
    let saved = serde_json::to_value(samples::definition(&body)).unwrap();
    assert_eq!(saved["steps"][0]["payload_template"]["service"], "{{params.service}}");

    for (text, part) in [
        ("{\"n\": {{params.n}}}", "in quotes"),
        ("\"text alone\"", "object or list"),
        ("{\"a\": \"\\u0000\"}", "NUL"),
        ("{\"a\": 18446744073709551615}", "2^53"),
        ("", "must be JSON"),
    ] {
        body["payload_template"] = text.into();
        let faults = parse(&body).unwrap_err();
        assert!(faults[0].message.contains(part), "{text}: {faults:?}");
        assert!(faults[0].pointer.starts_with("/payload_template"));
    }
}

#[test]
fn source_is_never_rendered() {
    let with = |source: &str| {
        let mut body = samples::full_body();
        body["steps"][4]["branches"][0][0]["source"] = source.into();
        parse(&body).err().map(|faults| faults[0].pointer.clone())
    };
    assert_eq!(with("docker ps --format '{{.Names}}'"), None, "braces of other tools are theirs");
    assert_eq!(with("restart {{ params.cluster }}").unwrap(), "/steps/4/branches/0/0/source");
}

#[test]
fn secrets_go_out_and_nowhere_else() {
    let place = |pointer: &str| {
        let mut body = samples::full_body();
        *body.pointer_mut(pointer).unwrap() = "{{secrets.X}}".into();
        parse(&body).err().map(|faults| (faults[0].pointer.clone(), faults[0].message.clone()))
    };
    for refused in [
        "/steps/1/message",
        "/steps/5/items",
        "/steps/5/steps/1/text",
        "/steps/7/parameters/cluster",
        "/steps/8/prompt",
        "/steps/10/text",
        "/steps/12/message",
    ] {
        let (pointer, message) = place(refused).unwrap_or_else(|| panic!("{refused} takes a secret"));
        assert_eq!(pointer, refused);
        assert!(message.contains("a secret may not be used here"), "{message}");
    }
    for allowed in ["/steps/0/headers/accept", "/steps/2/bind/0", "/steps/4/branches/0/0/env/CLUSTER", "/steps/13/url"]
    {
        assert_eq!(place(allowed), None, "{allowed}");
    }
}

#[test]
fn pieces_are_what_a_renderer_needs() {
    let found = pieces("a {{params.x}}{{#if incident.y}}b{{else}}c{{/if}}").unwrap();
    assert_eq!(
        found,
        [
            Piece::Text("a "),
            Piece::Value(vec!["params", "x"]),
            Piece::Open(vec!["incident", "y"]),
            Piece::Text("b"),
            Piece::Else,
            Piece::Text("c"),
            Piece::Close
        ]
    );
}
