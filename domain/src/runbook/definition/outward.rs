//! Reads the step types that send, query or run something: http, webhook, sql, shell, script.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::action::{Http, HttpMethod, Script, Shell, Sql, Webhook};
use super::limits::{HEADER_BYTES, HEADERS, SOURCE_BYTES, URL_BYTES};
use super::reader::Reader;
use super::scope::{Scope, Secrets};
use super::secrets::{self, Auth};
use super::templates::{self, Piece};
use crate::{Fault, pointer, url};

/// Under which names a webhook's fields are sent.
pub(super) struct WebhookFields {
    url: &'static str,
    method: &'static str,
    headers: &'static str,
    auth: &'static str,
    payload: &'static str,
}

pub(super) const WEBHOOK: WebhookFields =
    WebhookFields { url: "url", method: "method", headers: "headers", auth: "auth", payload: "payload_template" };

/// Those of a runbook that is nothing but one webhook.
pub(super) const WEBHOOK_SHORT: WebhookFields = WebhookFields {
    url: "webhook_url",
    method: "webhook_method",
    headers: "webhook_headers",
    auth: "webhook_auth",
    payload: "payload_template",
};

impl WebhookFields {
    pub(super) fn fields(&self) -> [&'static str; 5] {
        [self.url, self.method, self.headers, self.auth, self.payload]
    }
}

pub(super) fn read_http(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> Http {
    let http = Http {
        method: reader.one("method", faults).unwrap_or(HttpMethod::Get),
        url: read_url(reader, "url", scope, faults),
        headers: read_headers(reader, "headers", scope, faults),
        auth: read_auth(reader, "auth", faults),
        body: read_template(reader, "body", scope, faults),
        expect_status: reader.one::<BTreeSet<u16>>("expect_status", faults).unwrap_or_default(),
    };
    if http.expect_status.iter().any(|status| !(100..600).contains(status)) {
        faults.push(Fault::new(reader.child("expect_status"), "must hold HTTP status codes, 100 to 599"));
    }
    if http.body.is_some() && matches!(http.method, HttpMethod::Get | HttpMethod::Head) {
        faults.push(Fault::new(reader.child("body"), "must not be sent with GET or HEAD"));
    }
    http
}

/// `None` where the payload cannot be read; what is wrong stands in `faults` then, as everything else does.
pub(super) fn read_webhook(
    reader: &mut Reader,
    names: &WebhookFields,
    scope: &Scope,
    faults: &mut Vec<Fault>,
) -> Option<Webhook> {
    let url = read_url(reader, names.url, scope, faults);
    let method = reader.one(names.method, faults).unwrap_or_default();
    let headers = read_headers(reader, names.headers, scope, faults);
    let auth = read_auth(reader, names.auth, faults);
    let payload_template = read_payload(reader, names.payload, scope, faults)?;
    Some(Webhook { url, method, headers, auth, payload_template })
}

/// A payload template: JSON, or text that is JSON once it is parsed here. Absent, it is an empty object.
fn read_payload(reader: &mut Reader, name: &'static str, scope: &Scope, faults: &mut Vec<Fault>) -> Option<Value> {
    let at = reader.child(name);
    let parsed = match reader.value(name) {
        None => return Some(Value::Object(serde_json::Map::new())),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(parsed) => parsed,
            Err(error) => {
                let message = format!("must be JSON; an expression stands in quotes, \"{{{{params.x}}}}\": {error}");
                faults.push(Fault::new(at, message));
                return None;
            }
        },
        Some(value) => value.clone(),
    };
    if !parsed.is_object() && !parsed.is_array() {
        faults.push(Fault::new(at, "must be a JSON object or list"));
        return None;
    }
    // What was text until now was not looked at yet.
    crate::json::check(&parsed, super::limits::JSON_DEPTH, &at, faults);
    if reader.value(name).is_some_and(Value::is_string) {
        secrets::check_everywhere(&parsed, &at, faults);
    }
    check_outgoing(&parsed, scope, &at, faults);
    Some(parsed)
}

/// A template whose result goes to the outside world: secrets may be in it, but not in clear.
fn check_outgoing(value: &Value, scope: &Scope, at: &str, faults: &mut Vec<Fault>) {
    templates::check_json(value, scope, Secrets::Allowed, at, faults);
    secrets::check_fields(value, at, faults);
}

pub(super) fn read_template(
    reader: &mut Reader,
    name: &'static str,
    scope: &Scope,
    faults: &mut Vec<Fault>,
) -> Option<Value> {
    let value = reader.value(name)?;
    check_outgoing(value, scope, &reader.child(name), faults);
    Some(value.clone())
}

fn read_auth(reader: &mut Reader, name: &'static str, faults: &mut Vec<Fault>) -> Option<Auth> {
    let value = reader.value(name)?;
    secrets::read_auth(value, &reader.child(name), faults)
}

fn read_headers(
    reader: &mut Reader,
    name: &'static str,
    scope: &Scope,
    faults: &mut Vec<Fault>,
) -> BTreeMap<String, String> {
    let at = reader.child(name);
    let mut headers = BTreeMap::new();
    for (name, value) in reader.map(name, HEADERS, faults).into_iter().flatten() {
        let at = pointer::child(&at, name);
        let Some(text) = value.as_str() else {
            faults.push(Fault::new(at, "must be a string"));
            continue;
        };
        if !secrets::is_header_name(name) {
            faults.push(Fault::new(&at, "must be named like a header"));
        }
        if text.len() > HEADER_BYTES || text.contains(['\r', '\n']) {
            faults.push(Fault::new(&at, format!("must be one line of at most {HEADER_BYTES} bytes")));
        }
        templates::check(text, scope, Secrets::Allowed, &at, faults);
        if secrets::is_sensitive(name) {
            secrets::check_header(text, &at, faults);
        }
        headers.insert(name.clone(), text.to_owned());
    }
    headers
}

/// An address starts with http:// or https://, or is a secret or a variable that does. Who is called is never in the
/// hands of a user name, and no secret stands in the query.
fn read_url(reader: &mut Reader, name: &'static str, scope: &Scope, faults: &mut Vec<Fault>) -> String {
    let address = reader.required_string(name, faults);
    let at = reader.child(name);
    if address.is_empty() {
        return String::new();
    }
    if address.len() > URL_BYTES || address.chars().any(char::is_control) {
        faults.push(Fault::new(&at, format!("must be an address of at most {URL_BYTES} bytes")));
    }
    templates::check(address, scope, Secrets::Allowed, &at, faults);
    let pieces = templates::pieces(address).unwrap_or_default();
    let starts_elsewhere = matches!(
        pieces.first(),
        Some(Piece::Value(path)) if matches!(path.first(), Some(&("secrets" | "variables")))
    );
    let plain: String =
        pieces.iter().map(|piece| if let Piece::Text(text) = piece { text } else { RENDERED }).collect();
    if !starts_elsewhere && url::host(&plain).is_none_or(|host| host.is_empty() || host.contains(' ')) {
        faults.push(Fault::new(&at, "must start with http:// or https:// and a host, a secret or a variable"));
    }
    if url::has_userinfo(&plain) {
        faults.push(Fault::new(&at, "must not carry a user name or a password: use auth"));
    }
    for (name, value) in query(&plain) {
        if secrets::is_sensitive(name) && !value.replace(RENDERED, "").is_empty() {
            let name = name.replace(RENDERED, "");
            faults.push(Fault::new(&at, format!("carries a secret in clear as '{name}': write {{{{secrets.NAME}}}}")));
        }
    }
    address.to_owned()
}

/// Stands for an expression while the text around it is looked at; control characters are refused in addresses.
const RENDERED: &str = "\u{1}";

fn query(address: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    query.split('&').filter_map(|pair| pair.split_once('='))
}

pub(super) fn read_sql(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> Sql {
    let target = reader.required_identifier("target", faults);
    let statement = read_source(reader, "statement", "bind", faults);
    let bind = reader.list("bind", 100, faults).unwrap_or_default().to_vec();
    let at = reader.child("bind");
    for (index, value) in bind.iter().enumerate() {
        templates::check_json(value, scope, Secrets::Allowed, &format!("{at}/{index}"), faults);
    }
    let max_rows = reader.number("max_rows", 1..=10_000, faults);
    Sql { target, statement, bind, max_rows }
}

pub(super) fn read_shell(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> Shell {
    let source = read_source(reader, "source", "env or stdin", faults);
    let at = reader.child("env");
    let mut env = BTreeMap::new();
    for (name, value) in reader.map("env", 100, faults).into_iter().flatten() {
        let at = pointer::child(&at, name);
        let Some(text) = value.as_str() else {
            faults.push(Fault::new(at, "must be a string"));
            continue;
        };
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if name.len() > 128 || !starts_well || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            faults.push(Fault::new(&at, "must be named like a variable of the environment"));
        }
        templates::check(text, scope, Secrets::Allowed, &at, faults);
        secrets::check_named(name, value, &at, faults);
        env.insert(name.clone(), text.to_owned());
    }
    Shell { source, env, stdin: read_template(reader, "stdin", scope, faults) }
}

pub(super) fn read_script(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> Option<Script> {
    reader.required("language", faults);
    let language = reader.one("language", faults);
    let program = read_shell(reader, scope, faults);
    Some(Script { language: language?, program })
}

/// What our own expressions start with.
const ROOTS: [&str; 7] = ["params.", "incident.", "steps.", "secrets.", "variables.", "runbook.", "execution."];

/// Program text is never rendered: whatever a parameter says, it stays data.
fn read_source(reader: &mut Reader, name: &'static str, instead: &str, faults: &mut Vec<Fault>) -> String {
    let source = reader.required_string(name, faults);
    let at = reader.child(name);
    if source.trim().is_empty() && reader.value(name).is_some() {
        faults.push(Fault::new(&at, "must not be blank"));
    }
    if source.len() > SOURCE_BYTES {
        faults.push(Fault::new(&at, format!("must have at most {} KiB", SOURCE_BYTES / 1024)));
    }
    // Braces of other languages are fine; one of our own roots in them would be a misunderstanding.
    let ours = |rest: &str| ROOTS.iter().any(|root| rest.trim_start().starts_with(root));
    if source.split("{{").skip(1).any(ours) {
        faults.push(Fault::new(&at, format!("is never rendered: pass values through {instead}")));
    }
    source.to_owned()
}
