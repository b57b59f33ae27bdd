//! For the tests of folds: a stream out of events, as the log would hold it.

use domain::{Aggregate, StoredEvent};
use storage::{Recorded, StreamId};
use uuid::Uuid;

/// When the first event of a stream is recorded; the next ones follow by a second each.
const BEGIN_US: i64 = 1_700_000_000_000_000;

/// The events of one stream, from position 11 on.
pub(crate) fn stream<A: Aggregate>(id: &str, events: &[A::Event]) -> Vec<Recorded> {
    let record = |(index, event): (u32, &A::Event)| Recorded {
        position: 11 + u64::from(index),
        stream: StreamId::new(A::TYPE, id),
        sequence: 1 + u64::from(index),
        event_type: event.name().to_owned(),
        event_version: event.version(),
        payload: serde_json::to_string(event).unwrap(),
        metadata: r#"{"actor_kind":"user","actor_id":"ann","correlation_id":"c1"}"#.to_owned(),
        event_id: Uuid::from_u128(u128::from(index)),
        command_id: Uuid::from_u128(7),
        command_ord: 0,
        salt: [0; 16],
        recorded_at_us: BEGIN_US + i64::from(index) * 1_000_000,
    };
    (0..).zip(events).map(record).collect()
}

/// The time of the event at `index`.
pub(crate) fn at(index: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(BEGIN_US + index * 1_000_000).unwrap()
}
