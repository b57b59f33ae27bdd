//! Templates: JSON whose string leaves may hold Handlebars expressions. Keys are literal and never rendered.
//!
//! Of Handlebars there are `{{path}}`, `{{#if path}}`, `{{#unless path}}` and `{{else}}`. No helpers, no partials and
//! no loops (that is what `for_each` steps are for), so a template cannot grow beyond what it is given. What is
//! written is scanned here first, in one pass without recursion; the Handlebars parser, which recurses, sees only
//! what has passed.

use handlebars::Template;
use serde_json::Value;

use super::limits::{TEMPLATE_BYTES, TEMPLATE_DEPTH, TEMPLATE_TAGS};
use super::scope::{Scope, Secrets};
use crate::{Fault, pointer};

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
    Text(&'t str),
    /// `{{params.host}}`
    Value(Vec<&'t str>),
    /// `{{#if params.host}}` or `{{#unless …}}`
    Open(Vec<&'t str>),
    Else,
    Close,
}

/// Adds a fault for everything that is wrong with the string leaves of `value`.
pub(super) fn check_json(value: &Value, scope: &Scope, secrets: Secrets, at: &str, faults: &mut Vec<Fault>) {
    match value {
        Value::String(text) => check(text, scope, secrets, at, faults),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_json(item, scope, secrets, &pointer::child(at, index), faults);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                let at = pointer::child(at, name);
                if name.contains("{{") {
                    faults.push(Fault::new(&at, "has an expression in its name, but names are never rendered"));
                }
                check_json(item, scope, secrets, &at, faults);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Adds a fault for everything that is wrong with one string.
pub(super) fn check(text: &str, scope: &Scope, secrets: Secrets, at: &str, faults: &mut Vec<Fault>) {
    let pieces = match pieces(text) {
        Ok(pieces) => pieces,
        Err(message) => return faults.push(Fault::new(at, message)),
    };
    for piece in &pieces {
        if let Piece::Value(path) | Piece::Open(path) = piece
            && let Some(message) = scope.fault(path, secrets)
        {
            faults.push(Fault::new(at, format!("{{{{{}}}}}: {message}", path.join("."))));
        }
    }
    // The renderer's own parser has the last word; it is only asked where there is something to parse.
    if pieces.iter().any(|piece| !matches!(piece, Piece::Text(_)))
        && let Err(error) = Template::compile(text)
    {
        faults.push(Fault::new(at, format!("is not a Handlebars template: {}", error.reason())));
    }
}

/// Cuts a template into its pieces, or says what is wrong with it.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    if text.len() > TEMPLATE_BYTES {
        return Err(format!("must have at most {} KiB", TEMPLATE_BYTES / 1024));
    }
    let mut pieces = Vec::new();
    let mut open: Vec<(&str, bool)> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        if rest[..start].ends_with('\\') {
            return Err("has a backslash before '{{': there is no escaping".to_owned());
        }
        let inside = &rest[start + 2..];
        let end = inside.find("}}").ok_or("has '{{' without '}}'")?;
        pieces.push(tag(inside[..end].trim(), &mut open)?);
        if pieces.len() > TEMPLATE_TAGS * 2 {
            return Err(format!("must have at most {TEMPLATE_TAGS} expressions"));
        }
        rest = &inside[end + 2..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    match open.last() {
        Some((kind, _)) => Err(format!("has '{{{{#{kind}}}}}' without '{{{{/{kind}}}}}'")),
        None => Ok(pieces),
    }
}

/// What stands between the braces. `open` holds the blocks that are not closed yet, and whether each had its else.
fn tag<'t>(inside: &'t str, open: &mut Vec<(&'t str, bool)>) -> Result<Piece<'t>, String> {
    if let Some(block) = inside.strip_prefix('#') {
        let (kind, argument) = block.split_once(char::is_whitespace).unwrap_or((block, ""));
        if kind != "if" && kind != "unless" {
            return Err(format!("'{{{{#{kind}}}}}' is unknown: there are #if and #unless"));
        }
        if open.len() == TEMPLATE_DEPTH {
            return Err(format!("must nest at most {TEMPLATE_DEPTH} blocks"));
        }
        open.push((kind, false));
        return path(argument.trim()).map(Piece::Open);
    }
    if let Some(kind) = inside.strip_prefix('/') {
        return match open.pop() {
            Some((opened, _)) if opened == kind => Ok(Piece::Close),
            _ => Err(format!("has '{{{{/{kind}}}}}' where that is not open")),
        };
    }
    if inside == "else" {
        return match open.last_mut() {
            Some((_, had_else)) if !*had_else => {
                *had_else = true;
                Ok(Piece::Else)
            }
            _ => Err("has '{{else}}' without '{{#if}}'".to_owned()),
        };
    }
    path(inside).map(Piece::Value)
}

/// `params.hosts.0`: names and positions with dots between.
fn path(text: &str) -> Result<Vec<&str>, String> {
    let parts: Vec<_> = text.split('.').collect();
    let sound =
        |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let reserved = matches!(parts.first(), Some(&("this" | "else" | "true" | "false" | "null")));
    if parts.iter().all(sound) && !reserved {
        return Ok(parts);
    }
    Err(format!("'{{{{{text}}}}}' is not a path like {{{{params.host}}}}; helpers and partials do not exist"))
}
