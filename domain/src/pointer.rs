//! JSON Pointers (RFC 6901), with which faults say where they are.

use std::fmt::Display;

/// The pointer to `name` under `parent`.
pub(crate) fn child(parent: &str, name: impl Display) -> String {
    let name = name.to_string().replace('~', "~0").replace('/', "~1");
    format!("{parent}/{name}")
}
