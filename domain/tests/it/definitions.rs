//! From an untrusted body to a definition: both forms, every fault, and a hash that holds.

use domain::runbook::Definition;
use domain::runbook::definition::Action;
use domain::runbook::definition::parse;
use domain::runbook::definition::step::{Effect, OnFailure, Step};
use serde_json::{Value, json};

use super::samples::{definition, full_body, short_body};

fn pointers(body: &Value) -> Vec<String> {
    parse(body).err().unwrap_or_default().into_iter().map(|fault| fault.pointer).collect()
}

fn with(body: Value, pointer: &str, value: Value) -> Value {
    let mut body = body;
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Object(map) => {
            map.insert(name.to_owned(), value);
        }
        other => *other.pointer_mut(&format!("/{name}")).unwrap() = value,
    }
    body
}

/// Setting `pointer` to `value` gives a fault there, and with the message.
#[track_caller]
fn refused(body: Value, pointer: &str, value: Value, at: &str, part: &str) {
    let faults = parse(&with(body, pointer, value)).err().unwrap_or_else(|| panic!("{pointer} is accepted"));
    assert!(faults.iter().any(|f| f.pointer == at && f.message.contains(part)), "{part:?} at {at}: {faults:?}");
}

#[test]
fn the_short_form_is_one_webhook_step() {
    let submission = parse(&short_body()).unwrap();
    assert_eq!(submission.change_note.as_deref(), Some("first version"));
    let definition = submission.definition;
    assert_eq!((definition.timeout_seconds(), definition.steps().len()), (120, 1));
    let step = &definition.steps()[0];
    assert_eq!((step.id.as_str(), step.effect), ("webhook", Effect::Unsafe));
    let Action::Webhook(webhook) = &step.action else { panic!("{step:?}") };
    assert_eq!(webhook.url, "https://automation.example.com/hooks/restart");
    assert_eq!(webhook.payload_template, json!({"service": "{{params.service}}", "incident": "{{incident.id}}"}));
    assert_eq!(webhook.auth, None);
    let retry = step.retry.as_ref().unwrap();
    assert_eq!((retry.max_attempts, retry.initial_delay), (4, 1), "three retries, from one second on");
}

#[test]
fn the_least_there_can_be() {
    let least = json!({"name": "n", "description": "d", "webhook_url": "https://example.com"});
    let definition = definition(&least);
    assert_eq!(definition.timeout_seconds(), 300);
    assert_eq!((definition.team_id(), definition.environment()), (None, None));
    assert_eq!(definition.parameters(), &json!({}));
    let nulls = json!({"name": "n", "description": "d", "webhook_url": "https://example.com", "team_id": null,
        "webhook_auth": null, "tags": null, "steps": null, "parameters": null, "payload_template": null});
    assert_eq!(super::samples::definition(&nulls), definition);
}

#[test]
fn every_type_of_step_is_read() {
    fn collect(steps: &[Step], found: &mut Vec<String>) {
        for step in steps {
            let json = serde_json::to_value(step).unwrap();
            found.push(json["type"].as_str().unwrap().to_owned());
            match &step.action {
                Action::Conditional(both) => {
                    collect(&both.then, found);
                    collect(&both.r#else, found);
                }
                Action::Parallel(parallel) => parallel.branches.iter().for_each(|branch| collect(branch, found)),
                Action::ForEach(each) => collect(&each.steps, found),
                _ => {}
            }
        }
    }
    let definition = definition(&full_body());
    let mut found = Vec::new();
    collect(definition.steps(), &mut found);
    for kind in Action::TYPES {
        assert!(found.iter().any(|name| name == kind), "{kind} is in no sample");
    }
    let effects: Vec<_> = definition.steps().iter().map(|step| step.effect).collect();
    assert_eq!(&effects[..3], [Effect::Pure, Effect::Pure, Effect::Pure]);
    assert_eq!(effects[13], Effect::Unsafe, "a webhook is unsafe unless it says otherwise");
    assert_eq!(definition.steps()[2].on_failure, OnFailure::Continue);
}

#[test]
fn what_is_stored_can_be_sent_again() {
    for body in [short_body(), full_body()] {
        let once = definition(&body);
        let stored = serde_json::to_value(&once).unwrap();
        let again = definition(&stored);
        assert_eq!(again, once);
        assert_eq!(again.content_hash(), once.content_hash());
        assert_eq!(serde_json::from_value::<Definition>(stored).unwrap(), once, "as the log reads it");
    }
}

#[test]
fn the_log_is_read_without_the_rules_of_today() {
    let mut stored = serde_json::to_value(definition(&short_body())).unwrap();
    stored["timeout_seconds"] = 7_200.into();
    stored["from_the_future"] = true.into();
    let read: Definition = serde_json::from_value(stored).unwrap();
    assert_eq!(read.timeout_seconds(), 7_200);
}

#[test]
fn the_hash_is_over_what_is_approved() {
    let hash = |body: &Value| definition(body).content_hash();
    let first = hash(&short_body());
    assert_eq!(first.len(), 64);
    // Committed: it must not change, approvals are bound to it.
    assert_eq!(first, "933d7b8ebb9846834be6a0538ce851d91ec08b8d274c31fd85ae1acd65eba1d8");
    assert_eq!(hash(&with(short_body(), "/change_note", json!("another"))), first);
    let reordered: Value = serde_json::from_str(&short_body().to_string()).unwrap();
    assert_eq!(hash(&reordered), first);
    for (pointer, value) in [
        ("/name", json!("other")),
        ("/description", json!("other")),
        ("/team_id", json!("team:a")),
        ("/environment", json!("staging")),
        ("/tags", json!(["a"])),
        ("/timeout_seconds", json!(121)),
        ("/parameters", json!({})),
        ("/variables", json!({"a": 1})),
        ("/concurrency", json!({"policy": "skip"})),
        ("/webhook_url", json!("https://example.com/other")),
        ("/payload_template", json!({})),
    ] {
        assert_ne!(hash(&with(short_body(), pointer, value)), first, "{pointer}");
    }
    let tags = |tags: Value| hash(&with(short_body(), "/tags", tags));
    assert_eq!(tags(json!(["a", "b"])), tags(json!(["b", "a", "b"])), "tags have no order");
}

#[test]
fn all_faults_are_listed_at_once() {
    let body = json!({
        "name": "", "description": "x".repeat(501), "team_id": "a b", "environment": 7, "tags": ["", 1],
        "parameters": [], "variables": {"1x": 1}, "timeout_seconds": 29, "concurrency": {"policy": "maybe", "x": 1},
        "steps": [
            {"id": "1", "type": "http", "url": "nowhere", "color": "red"},
            {"id": "b", "type": "teleport"},
            {"id": "b", "type": "wait", "retry": {"max_attempts": 11, "multiplier": 0.5}},
            7
        ],
        "owner": "me"
    });
    let found = pointers(&body);
    for expected in [
        "/name",
        "/description",
        "/team_id",
        "/environment",
        "/tags/0",
        "/tags/1",
        "/parameters",
        "/variables/1x",
        "/timeout_seconds",
        "/concurrency/policy",
        "/concurrency/x",
        "/steps/0/id",
        "/steps/0/url",
        "/steps/0/color",
        "/steps/1/type",
        "/steps/2",
        "/steps/2/id",
        "/steps/2/retry/max_attempts",
        "/steps/2/retry/multiplier",
        "/steps/3",
        "/owner",
    ] {
        assert!(found.iter().any(|pointer| pointer == expected), "{expected} is not in {found:?}");
    }
    assert_eq!(found.len(), 21, "{found:?}");
}

#[test]
fn a_body_is_an_object_with_steps_in_one_form() {
    assert_eq!(pointers(&json!([])), [""]);
    assert_eq!(pointers(&json!({})), ["/name", "/description", "/steps"]);
    refused(short_body(), "/steps", json!([]), "/steps", "exclude each other");
    refused(full_body(), "/webhook_headers", json!({}), "/steps", "exclude each other");
    refused(full_body(), "/steps", json!([]), "/steps", "at least one step");
    refused(full_body(), "/steps", json!({}), "/steps", "a list of steps");
    refused(short_body(), "/webhook_method", json!("GET"), "/webhook_method", "POST");
    refused(short_body(), "/timeout_seconds", json!(901), "/timeout_seconds", "30 to 900");
    refused(short_body(), "/name", json!("n".repeat(101)), "/name", "1 to 100");
    refused(short_body(), "/name", json!("a\0b"), "/name", "NUL");
    refused(short_body(), "/variables", json!({"a": "{{params.x}}"}), "/variables/a", "constants");
}

#[test]
fn sizes_are_bounded() {
    let large = with(short_body(), "/payload_template", json!({"a": "x".repeat(300_000)}));
    assert!(parse(&large).unwrap_err()[0].message.contains("256 KiB"));

    let mut deep = json!(1);
    for _ in 0..60 {
        deep = json!([deep]);
    }
    let faults = parse(&with(short_body(), "/variables", json!({"a": deep}))).unwrap_err();
    assert!(faults[0].message.contains("too deeply"), "{faults:?}");

    let steps = |count: usize| {
        (0..count).map(|n| json!({"id": format!("s{n}"), "type": "wait", "duration_seconds": 1})).collect::<Vec<_>>()
    };
    assert_eq!(pointers(&with(full_body(), "/steps", json!(steps(100)))), [] as [&str; 0]);
    refused(full_body(), "/steps", json!(steps(101)), "/steps", "at most 100 steps");

    let many: serde_json::Map<_, _> = (0..2_000).map(|n| (format!("unknown{n}"), json!(1))).collect();
    let faults = parse(&Value::Object(many)).unwrap_err();
    assert_eq!(faults.len(), 201, "an answer is bounded too");
    assert_eq!(faults[200].message, "and 1803 more");
}

#[test]
fn sub_steps_count_and_nest_only_so_deep() {
    let nested = |levels: usize| {
        (0..levels).fold(json!({"id": "end", "type": "wait", "duration_seconds": 1}), |inner, level| {
            json!({"id": format!("c{level}"), "type": "conditional", "condition": "true", "then": [inner]})
        })
    };
    assert_eq!(pointers(&with(full_body(), "/steps", json!([nested(3)]))), [] as [&str; 0]);
    let found = pointers(&with(full_body(), "/steps", json!([nested(4)])));
    assert_eq!(found, ["/steps/0/then/0/then/0/then/0/then"]);

    let wide = |count: usize| {
        let inner: Vec<_> =
            (0..count).map(|n| json!({"id": format!("s{n}"), "type": "wait", "duration_seconds": 1})).collect();
        json!([{"id": "all", "type": "conditional", "condition": "true", "then": inner}])
    };
    refused(full_body(), "/steps", wide(100), "/steps", "sub-steps");
}

#[test]
fn step_ids_are_unique_over_the_whole_runbook() {
    refused(full_body(), "/steps/4/branches/0/0/id", json!("look"), "/steps/4/branches/0/0/id", "another step");
    refused(full_body(), "/steps/5/steps/0/compensate/id", json!("look"), "/steps/5/steps/0/compensate/id", "another");
    refused(full_body(), "/steps/0/id", json!("re-start"), "/steps/0/id", "letters, digits");
}

#[test]
fn jumps_go_forward_within_their_list() {
    let jump = |target: &str| json!(format!("step:{target}"));
    assert_eq!(pointers(&with(full_body(), "/steps/2/on_failure", jump("tell"))), [] as [&str; 0]);
    for (target, part) in [
        ("look", "must jump forward"),
        ("count", "must jump forward"),
        ("nowhere", "no later step"),
        ("drain", "no later step"),
        ("", "no later step"),
    ] {
        refused(full_body(), "/steps/2/on_failure", jump(target), "/steps/2/on_failure", part);
    }
    refused(full_body(), "/steps/2/on_failure", json!("retry"), "/steps/2/on_failure", "must be abort");
    let compensate = "/steps/5/steps/0/compensate/on_failure";
    refused(full_body(), compensate, jump("report"), compensate, "abort or continue");
}

#[test]
fn a_step_sees_only_what_comes_before() {
    let say = |id: &str| json!(format!("{{{{steps.{id}.outputs.x}}}}"));
    let tell = "/steps/12/message";
    for visible in ["look", "many", "few", "drain", "hosts", "hook_url"] {
        let expected: &[&str] = if visible == "hook_url" { &[tell] } else { &[] };
        assert_eq!(pointers(&with(full_body(), tell, say(visible))), expected, "{visible}");
    }
    refused(full_body(), tell, say("promote"), tell, "no step 'promote'");
    refused(full_body(), tell, say("tell"), tell, "no step 'tell'");
    refused(full_body(), tell, say("hook"), tell, "no step 'hook'");
    let other_branch = "/steps/4/branches/1/0/env";
    refused(full_body(), other_branch, json!({"X": say("drain")}), &format!("{other_branch}/X"), "no step 'drain'");
    let other_side = "/steps/3/else/0/until";
    refused(full_body(), other_side, say("many"), other_side, "no step 'many'");
    let undo = "/steps/5/steps/0/compensate/payload_template";
    assert_eq!(pointers(&with(full_body(), undo, json!({"a": say("promote")}))), [] as [&str; 0]);
    refused(full_body(), undo, json!({"a": say("report")}), &format!("{undo}/a"), "no step 'report'");
}

#[test]
fn each_type_checks_its_own_fields() {
    let full = full_body;
    refused(full(), "/steps/0/method", json!("TRACE"), "/steps/0/method", "TRACE");
    refused(full(), "/steps/0/body", json!({}), "/steps/0/body", "GET or HEAD");
    refused(full(), "/steps/0/expect_status", json!([99]), "/steps/0/expect_status", "100 to 599");
    refused(full(), "/steps/0/outputs", json!({"a": "body"}), "/steps/0/outputs/a", "JSON Pointer");
    refused(full(), "/steps/0/outputs", json!({"a-b": "/x~2"}), "/steps/0/outputs/a-b", "JSON Pointer");
    refused(full(), "/steps/0/timeout_seconds", json!(0), "/steps/0/timeout_seconds", "1 to 900");
    refused(full(), "/steps/0/retry", json!({"max_attempts": 2, "on": ["luck"]}), "/steps/0/retry/on", "luck");
    let backwards = json!({"max_attempts": 2, "initial_delay": 9, "max_delay": 3});
    refused(full(), "/steps/0/retry", backwards, "/steps/0/retry/max_delay", "less than initial_delay");
    refused(full(), "/steps/1/quorum", json!(0), "/steps/1/quorum", "1 to 20");
    refused(full(), "/steps/1/expires_in_seconds", json!(1), "/steps/1/expires_in_seconds", "60 to");
    refused(full(), "/steps/1/eligible", json!({"roles": ["king"]}), "/steps/1/eligible/roles", "king");
    refused(full(), "/steps/1/eligible", json!({"users": ["a@b"]}), "/steps/1/eligible/users", "identifier");
    refused(full(), "/steps/2/statement", json!(" "), "/steps/2/statement", "blank");
    refused(full(), "/steps/2/target", json!("a b"), "/steps/2/target", "identifier");
    refused(full(), "/steps/3/then", json!([]), "/steps/3/then", "at least one");
    refused(full(), "/steps/4/branches", json!([[]]), "/steps/4/branches", "at least two");
    refused(full(), "/steps/4/branches/1/0/language", json!("perl"), "/steps/4/branches/1/0/language", "perl");
    refused(full(), "/steps/5/items", json!("a, b"), "/steps/5/items", "exactly one expression");
    refused(full(), "/steps/5/items", json!("{{params.hosts}} x"), "/steps/5/items", "exactly one expression");
    refused(full(), "/steps/5/items", json!(7), "/steps/5/items", "exactly one expression");
    refused(full(), "/steps/6/duration_seconds", json!(1), "/steps/6", "exactly one of");
    refused(full(), "/steps/6/callback", json!(null), "/steps/6", "exactly one of");
    refused(full(), "/steps/3/else/0/until", json!("tomorrow"), "/steps/3/else/0/until", "must be a time");
    refused(full(), "/steps/7/runbook_id", json!(null), "/steps/7/runbook_id", "required");
    refused(full(), "/steps/7/parameters", json!([]), "/steps/7/parameters", "an object");
    refused(full(), "/steps/8/output_schema", json!({"type": 7}), "/steps/8/output_schema/type", "");
    refused(full(), "/steps/9/severity", json!("sev9"), "/steps/9/severity", "sev9");
    refused(full(), "/steps/9/action", json!("explode"), "/steps/9/action", "must be note");
    refused(full(), "/steps/12/recipients", json!([]), "/steps/12/recipients", "at least one");
    refused(full(), "/steps/12/recipients/0/kind", json!("planet"), "/steps/12/recipients/0/kind", "planet");
    refused(full(), "/steps/5/steps/0/settings", json!([]), "/steps/5/steps/0/settings", "an object");
    let nested = json!({"id": "n", "type": "wait", "duration_seconds": 1, "compensate": {}});
    refused(full(), "/steps/0/compensate", nested, "/steps/0/compensate/compensate", "within a compensation");
    let control = json!({"id": "n", "type": "parallel"});
    refused(full(), "/steps/0/compensate", control, "/steps/0/compensate/type", "plain step");
}

#[test]
fn an_unsafe_step_is_not_tried_again_when_nobody_knows() {
    let retry = json!({"max_attempts": 2, "on": ["timeout"]});
    refused(full_body(), "/steps/13/retry", retry.clone(), "/steps/13/retry/on", "unsafe");
    let mut body = with(full_body(), "/steps/13/retry", retry);
    body["steps"][13]["effect"] = "idempotent".into();
    assert_eq!(pointers(&body), [] as [&str; 0]);
}

#[test]
fn numbers_that_cannot_be_hashed_are_refused() {
    refused(short_body(), "/variables", json!({"a": 9_007_199_254_740_993_u64}), "/variables/a", "2^53");
    refused(short_body(), "/variables", json!({"a": -9_007_199_254_740_993_i64}), "/variables/a", "2^53");
    assert_eq!(pointers(&with(short_body(), "/variables", json!({"a": 9_007_199_254_740_991_u64}))), [] as [&str; 0]);
}

/// The dearest body that passes: as many steps, conditions and expressions as there may be.
#[test]
fn the_largest_body_is_read_in_good_time() {
    let condition = format!("a{}", "[0]".repeat(149)).replacen('a', "params", 1);
    let leaf = "{{#if params.a}}{{params.b}}{{/if}}".repeat(30);
    let steps: Vec<_> = (0..100)
        .map(|n| {
            json!({"id": format!("s{n}"), "type": "webhook", "url": "https://example.com", "when": condition,
                "payload_template": {"a": leaf}})
        })
        .collect();
    let body = json!({"name": "n", "description": "d", "steps": steps});
    let start = std::time::Instant::now();
    assert_eq!(pointers(&body), [] as [&str; 0]);
    let took = start.elapsed();
    println!("{} bytes in {took:?}", body.to_string().len());
    assert!(took < std::time::Duration::from_secs(20), "{took:?}");
}
