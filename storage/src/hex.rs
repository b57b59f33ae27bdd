//! Bytes in hexadecimal, as SQLite's `unhex` reads them, and as people read hashes and epochs.

use std::fmt::Write as _;

use uuid::Uuid;

pub(crate) fn hex(id: Uuid) -> String {
    id.simple().to_string()
}

pub(crate) fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
