//! Conditions stay cheap, whatever is sent.

use std::time::{Duration, Instant};

use domain::runbook::definition::conditions::compile;
use domain::runbook::definition::parse;
use serde_json::json;

use super::samples;

/// What is wrong with a runbook whose second step has this condition.
fn complaint(condition: &str) -> Option<String> {
    let mut body = samples::full_body();
    body["steps"][1]["when"] = condition.into();
    let faults = parse(&body).err()?;
    assert!(faults.iter().all(|fault| fault.pointer == "/steps/1/when"), "{faults:?}");
    Some(faults[0].message.clone())
}

#[test]
fn usual_conditions_are_fine() {
    for condition in [
        "true",
        "params.cluster == 'main' && !(params.dry_run)",
        "steps.look.outputs.status == 200 || incident.severity in ['sev1', 'sev2']",
        "has(incident.labels.region) && incident.labels['region'].startsWith('eu')",
        "params.hosts.all(h, h.endsWith('.example.com')) && size(params.hosts) <= variables.limit",
        "[1, 2, 3].exists(n, n == variables.limit)",
        "params.cluster == \"it's (((((((((( fine !!!!!!\"",
    ] {
        assert_eq!(complaint(condition), None, "{condition}");
    }
}

#[test]
fn what_a_condition_must_not_do() {
    for (condition, part) in [
        ("", "blank"),
        ("params.", "not a CEL expression"),
        ("steps.ask.outputs.x == 1", "no step 'ask'"),
        ("steps.nowhere.outputs.x == 1", "no step 'nowhere'"),
        ("secrets.DB_TOKEN == 'x'", "secret"),
        ("environment.HOME == 'x'", "unknown"),
        ("params.clutser == 'x'", "no property 'clutser'"),
        ("variables.nothing == 1", "no variable"),
        ("params.cluster.matches('(a+)+$')", "unknown function 'matches'"),
        ("now() > 1", "unknown function 'now'"),
        ("params.hosts.all(h, params.hosts.all(i, i == h))", "within going over"),
        ("params.hosts.map(h, h + h).all(h, h != '')", "made up"),
        ("'''x''' == 'x'", "triple quotes"),
        ("my_function(1) == 1", "unknown function 'my_function'"),
        ("params.cluster == 'x", "does not end"),
        ("params.cluster == 'x\n'", "does not end"),
        ("true // because", "comments"),
        ("`params`.cluster == 'x'", "backquotes"),
        ("params.cluster == b'x'", "prefix"),
        ("true)", "not opened"),
        ("Thing{a: 1} == 1", "must not make messages"),
    ] {
        let found = complaint(condition).unwrap_or_default();
        assert!(found.contains(part), "{condition}: {found:?}");
    }
}

#[test]
fn the_bomb_is_refused_before_the_parser_sees_it() {
    // cel-rust #306: 125 bytes of nested `!` took 1.1 GB.
    for bomb in ["!".repeat(125), "!(".repeat(60) + "1" + &")".repeat(60), "-".repeat(124) + "1"] {
        let start = Instant::now();
        assert!(complaint(&bomb).is_some_and(|m| m.contains("in a row") || m.contains("brackets")));
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }
}

/// What looks like a string to one reader and like a program to another must pass neither.
#[test]
fn a_bomb_does_not_hide_in_a_string() {
    for (disguise, part) in [
        (format!(r"r'\' == {}'", "!".repeat(100)), "prefix"),
        (format!("true // '\n || {} // '", "!".repeat(100)), "comments"),
        (format!("'''it's' || {} '''", "!".repeat(100)), "triple quotes"),
        (format!("'a\n' || {} || 'b'", "!".repeat(100)), "does not end"),
    ] {
        let found = complaint(&disguise).unwrap_or_default();
        assert!(found.contains(part), "{disguise}: {found:?}");
    }
}

/// The worst that the bounds admit, each as long as it may be.
#[test]
fn what_passes_the_bounds_parses_quickly() {
    let operators = |text: &str| text.chars().filter(|c| "&|?:<>=+-*/%,.!([{".contains(*c)).count();
    let fill = |start: &str, part: &str, end: &str| {
        let mut text = start.to_owned();
        while text.len() + part.len() + end.len() < 2_000 && operators(&text) + operators(part) <= 148 {
            text.push_str(part);
        }
        text + end
    };
    let worst = [
        fill("1", " + 1", ""),
        fill("true", "||true", ""),
        fill("a", ".b", ""),
        fill("a", "[0]", ""),
        fill("[1", ",1", "]"),
        fill("{1:1", ",1:1", "}"),
        fill("", "a?b:", "c"),
        fill("f(1", ",1", ")"),
        fill("!!a", "&&!!a", ""),
        fill("((((((((1))))))))", "+((((((((1))))))))", ""),
        fill("[[[[[[[[1]]]]]]]]", "+[[[[[[[[1]]]]]]]]", ""),
        fill("!(!(!(!(!(!(!(!(a))))))))", "&&!(!(!(!(!(!(!(!(a))))))))", ""),
        fill("!!(!!(!!(!!(!!(!!(!!(!!(a))))))))", "&&!!(!!(!!(!!(!!(!!(!!(!!(a))))))))", ""),
        fill("", "(", ""),
        fill("", "a ", ""),
        fill("l.all(x,l.all(y,l.all(z,l.all(u,l.all(v,l.all(w,true))))))", "&&true", ""),
    ];
    for source in worst {
        let start = Instant::now();
        let result = compile(&source).map(drop);
        let took = start.elapsed();
        println!("{took:>12.3?} {:.60} {}", source, result.err().unwrap_or_default());
        assert!(took < Duration::from_secs(2), "{took:?} {source}");
    }
}

#[test]
fn a_condition_is_checked_where_it_stands() {
    let mut body = samples::full_body();
    body["steps"][3]["condition"] = "secrets.X == 1".into();
    body["steps"][5]["steps"][0]["when"] = "item == 'a' && index < 3".into();
    body["steps"][6]["when"] = "item == 'a'".into();
    let faults = parse(&body).unwrap_err();
    let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/steps/3/condition", "/steps/6/when"], "{faults:?}");
    assert!(parse(&json!({"steps": [{"id": "a", "type": "wait", "when": 7}]})).is_err());
}
