//! Checks on any JSON value that comes from outside, before anything else looks at it.

use serde::Serialize;
use serde_json::Value;

use crate::{Fault, pointer};

/// Above this a number is not the same for every reader of JSON (RFC 8785 writes doubles), so it cannot be hashed.
const LARGEST_WHOLE_NUMBER: u64 = (1 << 53) - 1;

/// Adds a fault for nesting deeper than `depth`, for NUL characters (no text column of ours stores one) and for whole
/// numbers that a double does not hold.
pub(crate) fn check(value: &Value, depth: usize, at: &str, faults: &mut Vec<Fault>) {
    match value {
        Value::Array(_) | Value::Object(_) if depth == 0 => faults.push(Fault::new(at, "is nested too deeply")),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check(item, depth - 1, &pointer::child(at, index), faults);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                let at = pointer::child(at, name);
                if name.contains('\0') {
                    faults.push(Fault::new(&at, "must not have the NUL character in its name"));
                }
                check(item, depth - 1, &at, faults);
            }
        }
        Value::String(text) if text.contains('\0') => {
            faults.push(Fault::new(at, "must not contain the NUL character"));
        }
        Value::Number(number) => {
            let whole = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            if whole.is_some_and(|whole| whole > LARGEST_WHOLE_NUMBER) {
                faults.push(Fault::new(at, "is a whole number beyond 2^53-1: write it as a string"));
            }
        }
        _ => {}
    }
}

/// Bytes of `value` as compact JSON. What cannot be written as JSON has no acceptable size.
pub(crate) fn size(value: &impl Serialize) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        Err(_) => usize::MAX,
    }
}
