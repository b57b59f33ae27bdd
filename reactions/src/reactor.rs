//! What an event asks for: the same event always the same, without any I/O.

use jiff::Timestamp;
use projections::Decoded;
use serde_json::Value;
use storage::work::NewWork;
use uuid::Uuid;

use crate::cause::{Cause, Envelope};

pub trait Reactor: Send + Sync + 'static {
    /// Stored with its checkpoint and told as the actor of what it leads to. Never changes.
    fn name(&self) -> &'static str;

    /// The aggregate types whose events it looks at. Those of others are passed over unread.
    fn aggregates(&self) -> &'static [&'static str];

    fn react(&self, event: &Decoded) -> Vec<Work>;
}

#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// Of the worker that does it.
    pub kind: &'static str,
    /// Work in one lane is done one at a time, in the order of its events.
    pub lane: String,
    /// From 0 to 9: a head start of so many minutes over the work in other lanes.
    pub priority: u8,
    pub payload: Value,
    /// At once where it is absent.
    pub run_at: Option<Timestamp>,
}

/// What `reactor` wants done about `event`, as it is put into the queue.
pub(crate) fn asked_for(reactor: &dyn Reactor, event: &Decoded) -> Vec<NewWork> {
    let cause = Cause::new(reactor.name(), event);
    (0..).zip(reactor.react(event)).map(|(n, work)| queued(work, n, &cause, event)).collect()
}

fn queued(work: Work, n: i32, cause: &Cause, event: &Decoded) -> NewWork {
    // From the event, so that who reacts twice asks once.
    let id = Uuid::new_v5(&event.recorded().event_id, format!("{}/{n}", cause.reactor).as_bytes());
    let envelope = Envelope { cause: cause.clone(), payload: work.payload };
    NewWork {
        id,
        kind: work.kind.to_owned(),
        lane: work.lane,
        priority: work.priority,
        payload: serde_json::json!(envelope).to_string(),
        run_at_us: work.run_at.map(no_earlier),
        created_position: event.position(),
        n,
    }
}

/// In the unit of the queue; what lies within a microsecond is due at its end.
fn no_earlier(at: Timestamp) -> i64 {
    let begun = i64::from(at.subsec_nanosecond().rem_euclid(1_000) != 0);
    let microseconds = at.as_microsecond();
    // Before 1970 the division has rounded up already.
    if at.as_nanosecond() < 0 { microseconds } else { microseconds.saturating_add(begun) }
}

#[cfg(test)]
mod tests {
    use super::no_earlier;

    #[test]
    fn nothing_is_due_before_its_time() {
        let at = |text: &str| no_earlier(text.parse().unwrap());
        assert_eq!(at("1970-01-01T00:00:01.000002Z"), 1_000_002);
        assert_eq!(at("1970-01-01T00:00:01.000002001Z"), 1_000_003);
        assert_eq!(at("1969-12-31T23:59:59.999999999Z"), 0);
        assert_eq!(at("1969-12-31T23:59:59.999999Z"), -1);
    }
}
