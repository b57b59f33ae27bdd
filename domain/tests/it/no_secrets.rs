//! No secret gets into a definition in clear, at any place; and each place has its control: what is allowed there
//! passes.

use domain::runbook::definition::parse;
use serde_json::{Value, json};

use super::samples::{full_body, short_body};

const REFERENCE: &str = "{{secrets.VAULTED}}";

/// `leak` at `pointer` is refused there (or right below), `control` passes.
#[track_caller]
fn guarded(body: &Value, pointer: &str, leak: &Value, control: &Value) {
    let with = |value: &Value| {
        let mut body = body.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match body.pointer_mut(parent).unwrap() {
            Value::Object(map) => {
                map.insert(name.replace("~1", "/").replace("~0", "~"), value.clone());
            }
            other => *other.pointer_mut(&format!("/{name}")).unwrap() = value.clone(),
        }
        parse(&body)
    };
    let faults = with(leak).err().unwrap_or_else(|| panic!("{pointer} takes {leak}"));
    assert!(faults.iter().any(|fault| fault.pointer.starts_with(pointer)), "{leak}: {faults:?}");
    for fault in &faults {
        assert!(!fault.message.contains("hunter2"), "the answer repeats the secret: {fault:?}");
    }
    if let Err(faults) = with(control) {
        panic!("the control {control} at {pointer} is refused: {faults:?}");
    }
}

#[test]
fn the_bodies_themselves_pass() {
    parse(&short_body()).unwrap();
    parse(&full_body()).unwrap();
}

#[test]
fn auth_holds_references_only() {
    let place = "/webhook_auth";
    let named = json!({"secret": "VAULTED"});
    let literal = json!("hunter2");
    for (kind, field) in [("bearer", "token"), ("signature", "secret")] {
        guarded(&short_body(), place, &json!({"type": kind, field: literal}), &json!({"type": kind, field: named}));
    }
    guarded(
        &short_body(),
        place,
        &json!({"type": "basic", "username": named, "password": literal}),
        &json!({"type": "basic", "username": named, "password": named}),
    );
    guarded(
        &short_body(),
        place,
        &json!({"type": "header", "name": "x-key", "value": REFERENCE}),
        &json!({"type": "header", "name": "x-key", "value": named}),
    );
    guarded(&short_body(), place, &json!("hunter2"), &json!({"type": "none"}));
    guarded(&short_body(), place, &json!({"type": "none", "token": "hunter2"}), &json!(null));
    guarded(&short_body(), place, &json!({"type": "bearer", "token": {"secret": "hunter 2!"}}), &json!(null));
    guarded(&full_body(), "/steps/0/auth/token", &literal, &named);
    guarded(&full_body(), "/steps/13/auth/secret", &literal, &named);
}

#[test]
fn sensitive_headers_are_made_of_secrets() {
    for name in [
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "x-api-key",
        "X-Auth-Token",
        "DD-API-KEY",
        "x-vault-token",
        "X-Goog-Api-Key",
        "x-amz-security-token",
        "x-client-secret",
        "x-credentials",
    ] {
        for leak in [
            json!("hunter2"),
            json!("Bearer hunter2"),
            json!("{{params.service}}"),
            json!("Basic aHVudGVyMg=={{secrets.VAULTED}}"),
            json!("{{secrets.VAULTED}}hunter2"),
            json!("{{#if params.service}}hunter2{{/if}}"),
            json!(""),
            json!("Bearer "),
        ] {
            guarded(&short_body(), &format!("/webhook_headers/{name}"), &leak, &json!(REFERENCE));
        }
        guarded(&full_body(), &format!("/steps/0/headers/{name}"), &json!("hunter2"), &json!("Token {{secrets.A}}"));
    }
    guarded(&short_body(), "/webhook_headers/x-origin", &json!("two\r\nlines: hunter2"), &json!("fine"));
}

#[test]
fn addresses_carry_no_credentials() {
    let fine = json!("https://example.com/a@b?x=1");
    for leak in [
        "https://me:hunter2@example.com/",
        "https://hunter2@example.com/",
        "https://me:{{secrets.VAULTED}}@example.com/",
        "https://{{params.service}}@example.com/",
        "https://example.com/?api_key=hunter2",
        "https://example.com/?a=1&access_token=hunter2#x",
        "ftp://example.com/",
        "example.com",
        "https:///path",
        "{{params.service}}",
        "https://two words/",
        "https://example.com/?password={{params.service}}hunter2",
        "https://example.com/{{#if params.service}}?api_key=hunter2{{/if}}",
    ] {
        guarded(&short_body(), "/webhook_url", &json!(leak), &fine);
        guarded(&full_body(), "/steps/0/url", &json!(leak), &fine);
    }
    guarded(
        &short_body(),
        "/webhook_url",
        &json!("https://example.com/?token=hunter2"),
        &json!("https://example.com/?token={{secrets.VAULTED}}"),
    );
    let blanks = json!("https://{{ params.service }}.example.com/{{ incident.id }}");
    guarded(&short_body(), "/webhook_url", &json!("https://{{ params.service }}@example.com"), &blanks);
    guarded(&short_body(), "/webhook_url", &json!("{{params.service}}/x"), &json!("{{secrets.HOOK_URL}}"));
    guarded(
        &short_body(),
        "/description",
        &json!("see https://me:hunter2@example.com"),
        &json!("see https://e.com/@me"),
    );
}

#[test]
fn nothing_else_holds_one_either() {
    let full = full_body();
    guarded(&full, "/variables/api_key", &json!("hunter2"), &json!(""));
    guarded(&full, "/variables/db", &json!({"password": "hunter2"}), &json!({"port": 5432}));
    guarded(&full, "/variables/dsn", &json!("postgres://me:hunter2@db/x"), &json!("postgres://db/x"));
    guarded(&full, "/steps/4/branches/0/0/env/DB_PASSWORD", &json!("hunter2"), &json!(REFERENCE));
    guarded(&full, "/steps/4/branches/0/0/stdin", &json!({"token": "hunter2"}), &json!({"token": REFERENCE}));
    guarded(&full, "/steps/5/steps/0/settings/token", &json!("hunter2"), &json!({"secret": "VAULTED"}));
    guarded(&full, "/steps/7/parameters/password", &json!("hunter2"), &json!("{{params.cluster}}"));
    guarded(
        &full,
        "/steps/13/payload_template/nested",
        &json!([{"apiKey": "hunter2"}]),
        &json!([{"apiKey": REFERENCE}]),
    );
    let text = |secret: &str| json!(format!("{{\"password\": \"{secret}\"}}"));
    guarded(&short_body(), "/payload_template", &text("hunter2"), &text(REFERENCE));
    let inner = |text: &str| json!(format!("{{\"see\": \"{text}\"}}"));
    // Escaped, so that only the parsed text shows it.
    guarded(
        &short_body(),
        "/payload_template",
        &inner("https:\\u002f\\u002fme:hunter2@example.com"),
        &inner("https:\\u002f\\u002fexample.com"),
    );
    let parameter = |keyword: &str| json!({"properties": {"db_password": {"type": "string", keyword: "hunter2"}}});
    let enumeration = json!({"properties": {"db_password": {"enum": ["hunter2"]}}});
    let control = json!({"properties": {"db_password": {"type": "string", "description": "ask the team"}}});
    for leak in [parameter("default"), parameter("const"), enumeration] {
        guarded(&short_body(), "/parameters", &leak, &control);
    }
    guarded(
        &full,
        "/steps/4/branches/0/0/source",
        &json!("git clone https://me:hunter2@example.com/x"),
        &json!("git clone https://me:$GIT_KEY@example.com/x"),
    );
}

#[test]
fn well_known_keys_are_recognised_wherever_they_stand() {
    let full = full_body();
    for key in [
        format!("AKIA{}", "A1B2C3D4E5F6G7H8"),
        format!("ghp_{}", "a".repeat(36)),
        format!("github_pat_{}", "a".repeat(40)),
        format!("glpat-{}", "a".repeat(20)),
        format!("sk_live_{}", "a".repeat(24)),
        format!("xoxb-{}", "1".repeat(24)),
        "-----BEGIN RSA PRIVATE KEY-----\nAAAA".to_owned(),
    ] {
        guarded(&full, "/steps/4/branches/0/0/source", &json!(format!("use {key}")), &json!("use $KEY"));
        guarded(&full, "/description", &json!(key), &json!("about AKIA and ghp_ and PRIVATE things"));
    }
}

#[test]
fn recipients_are_identifiers_and_never_addresses() {
    guarded(&full_body(), "/steps/12/recipients/0/id", &json!("alice@example.com"), &json!("user:alice"));
}
