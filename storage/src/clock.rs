//! Durations in the unit of the databases' columns: microseconds.

use std::time::Duration;

pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
