//! The commands that the tests append.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use storage::{Append, Idempotency, NewEvent, Receipt, StorageError, StreamId, StreamWrite, Verdict};
use uuid::Uuid;

/// Far beyond the end of any test.
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// An id that no other call in this process returns.
pub(crate) fn fresh() -> Uuid {
    static LAST: AtomicU64 = AtomicU64::new(0);
    Uuid::from_u64_pair(0x7e57, LAST.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn stream(id: &str) -> StreamId {
    StreamId::new("thing", id)
}

pub(crate) fn event(payload: impl Into<String>) -> NewEvent {
    NewEvent { event_id: fresh(), event_type: "thing.happened".to_owned(), event_version: 1, payload: payload.into() }
}

/// So many events on a stream whose head is expected there.
pub(crate) fn write(id: &str, expected: u64, events: usize) -> StreamWrite {
    let events = (0..events).map(|n| event(format!("{{\"n\":{n}}}"))).collect();
    StreamWrite { stream: stream(id), expected, events }
}

/// A new command of one event.
pub(crate) fn on(id: &str, expected: u64) -> Append {
    command(vec![write(id, expected, 1)])
}

pub(crate) fn command(streams: Vec<StreamWrite>) -> Append {
    Append::new(fresh(), streams)
}

/// `append` as a request under a key.
pub(crate) fn keyed(append: Append, key: &str, body: u8, lifetime: Duration) -> Append {
    let (principal, key) = ("somebody".to_owned(), key.to_owned());
    Append { idempotency: Some(Idempotency { principal, key, body_sha256: [body; 32], lifetime }), ..append }
}

/// Where a command was recorded by this very call.
#[track_caller]
pub(crate) fn committed(answer: Result<Verdict, StorageError>) -> Receipt {
    match answer {
        Ok(Verdict::Committed(receipt)) => receipt,
        other => panic!("not committed: {other:?}"),
    }
}
