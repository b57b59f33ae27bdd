//! No secret stands in a definition: definitions are in the log, for ever, for everyone who may read it. Where a secret
//! belongs stands its name, and its value is in the vault.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reader::Reader;
use super::templates::{Piece, pieces};
use crate::{Fault, pointer, url};

pub const SECRET_NAME_BYTES: usize = 64;

/// A secret by its name in the vault: `{"secret": "NAME"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRef {
    pub secret: String,
}

/// How a request proves itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Auth {
    Bearer {
        token: SecretRef,
    },
    Basic {
        username: SecretRef,
        password: SecretRef,
    },
    Header {
        name: String,
        value: SecretRef,
    },
    /// Standard Webhooks: the body is signed.
    Signature {
        secret: SecretRef,
    },
}

/// Reads `{"type": "bearer", "token": {"secret": "NAME"}}`; `{"type": "none"}` is none.
pub(super) fn read_auth(value: &Value, at: &str, faults: &mut Vec<Fault>) -> Option<Auth> {
    let mut reader = Reader::open(value, at, faults)?;
    let auth = match reader.required_string("type", faults) {
        "" | "none" => None,
        "bearer" => reference(&mut reader, "token", faults).map(|token| Auth::Bearer { token }),
        "basic" => {
            let username = reference(&mut reader, "username", faults);
            let password = reference(&mut reader, "password", faults);
            username.zip(password).map(|(username, password)| Auth::Basic { username, password })
        }
        "header" => {
            let name = reader.required_string("name", faults).to_owned();
            if !is_header_name(&name) {
                faults.push(Fault::new(reader.child("name"), "must be the name of a header"));
            }
            reference(&mut reader, "value", faults).map(|value| Auth::Header { name, value })
        }
        "signature" => reference(&mut reader, "secret", faults).map(|secret| Auth::Signature { secret }),
        _ => {
            faults.push(Fault::new(reader.child("type"), "must be none, bearer, basic, header or signature"));
            // Its fields are those of another type; they would only be called unknown.
            return None;
        }
    };
    reader.close(faults);
    auth
}

fn reference(reader: &mut Reader, name: &'static str, faults: &mut Vec<Fault>) -> Option<SecretRef> {
    let value = reader.required(name, faults)?;
    let found = as_reference(value);
    if found.is_none() {
        let message = "must be a reference to a secret, {\"secret\": \"NAME\"}; a secret is never written in clear";
        faults.push(Fault::new(reader.child(name), message));
    }
    found.map(|secret| SecretRef { secret: secret.to_owned() })
}

/// The name, where `value` is exactly `{"secret": "NAME"}`.
fn as_reference(value: &Value) -> Option<&str> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.get("secret")?.as_str().filter(|name| is_secret_name(name))
}

pub fn is_secret_name(name: &str) -> bool {
    (1..=SECRET_NAME_BYTES).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

pub(super) fn is_header_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether what stands under this name (of a header, a variable of the environment, a query parameter) is a secret.
pub(super) fn is_sensitive(name: &str) -> bool {
    const MARKS: &[&str] = &[
        "authorization",
        "cookie",
        "token",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "apikey",
        "credential",
        "accesskey",
        "privatekey",
        "xauth",
    ];
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    MARKS.iter().any(|mark| plain.contains(mark))
}

/// Adds a fault where the value of a sensitive header is anything but secrets, a scheme like `Bearer ` before them
/// aside.
pub(super) fn check_header(value: &str, at: &str, faults: &mut Vec<Fault>) {
    let Ok(pieces) = pieces(value) else { return };
    let sealed = |piece: &Piece| matches!(piece, Piece::Value(path) if path.first() == Some(&"secrets"));
    let secret_only = match pieces.as_slice() {
        [Piece::Text(scheme), rest @ ..] if is_scheme(scheme) => !rest.is_empty() && rest.iter().all(sealed),
        all => !all.is_empty() && all.iter().all(sealed),
    };
    if !secret_only {
        faults.push(Fault::new(at, "carries a secret: write it as {{secrets.NAME}}, at most with a scheme before it"));
    }
}

/// `Bearer `, `Basic `, `GenieKey `: a short word and a blank. Too short for a secret to hide in.
fn is_scheme(text: &str) -> bool {
    text.strip_suffix(' ').is_some_and(|word| {
        (1..=12).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')
    })
}

/// Adds a fault where a value under a sensitive name is written in clear: a literal instead of an expression.
pub(super) fn check_named(name: &str, value: &Value, at: &str, faults: &mut Vec<Fault>) {
    let Value::String(text) = value else { return };
    if is_sensitive(name) && !text.is_empty() && !text.contains("{{") {
        faults.push(Fault::new(at, "carries a secret in clear: write it as {{secrets.NAME}}"));
    }
}

/// [`check_named`] for every field in `value`. A reference is the opposite of a secret in clear.
pub(super) fn check_fields(value: &Value, at: &str, faults: &mut Vec<Fault>) {
    match value {
        Value::Object(_) if as_reference(value).is_some() => {}
        Value::Object(map) => {
            for (name, item) in map {
                let at = pointer::child(at, name);
                check_named(name, item, &at, faults);
                check_fields(item, &at, faults);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_fields(item, &pointer::child(at, index), faults);
            }
        }
        _ => {}
    }
}

/// Adds a fault for every string anywhere in `value` that carries a user name in an address, or looks like a key that
/// a well-known service has issued.
pub(super) fn check_everywhere(value: &Value, at: &str, faults: &mut Vec<Fault>) {
    match value {
        Value::String(text) => {
            if url::has_literal_userinfo(text) {
                faults.push(Fault::new(at, "has an address with a user name or a password in it"));
            }
            if let Some(kind) = well_known_key(text) {
                faults.push(Fault::new(at, format!("seems to hold {kind} in clear: put it into the vault")));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_everywhere(item, &pointer::child(at, index), faults);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                check_everywhere(item, &pointer::child(at, name), faults);
            }
        }
        _ => {}
    }
}

/// Keys that say what they are. The number is how many letters and digits at least follow the mark.
fn well_known_key(text: &str) -> Option<&'static str> {
    const MARKS: &[(&str, usize, &str)] = &[
        ("AKIA", 16, "an AWS access key"),
        ("ghp_", 30, "a GitHub token"),
        ("github_pat_", 30, "a GitHub token"),
        ("glpat-", 16, "a GitLab token"),
        ("sk_live_", 16, "a Stripe key"),
        ("xoxb-", 16, "a Slack token"),
        ("xoxp-", 16, "a Slack token"),
    ];
    if text.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    let follows =
        |rest: &str| rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
    MARKS.iter().find_map(|(mark, least, kind)| {
        text.match_indices(mark).any(|(at, _)| follows(&text[at + mark.len()..]) >= *least).then_some(*kind)
    })
}
