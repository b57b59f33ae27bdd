//! Streams that the tests write by hand.

use storage::{Append, NewEvent, Store, StreamId, StreamWrite, Verdict};

use crate::bed::fresh;

/// Records events of one incident, given as their payloads, after the `expected` ones that it has.
pub(crate) async fn recorded(store: &Store, id: &str, expected: u64, payloads: &[serde_json::Value]) -> u64 {
    let event = |payload: &serde_json::Value| NewEvent {
        event_id: fresh(),
        event_type: payload["type"].as_str().expect("a payload says its type").to_owned(),
        event_version: u32::try_from(payload["version"].as_u64().unwrap_or(1)).expect("a small version"),
        payload: payload.to_string(),
    };
    let stream = StreamId::new("incident", id);
    let write = StreamWrite { stream, expected, events: payloads.iter().map(event).collect() };
    match store.append(Append::new(fresh(), vec![write])).await {
        Ok(Verdict::Committed(receipt)) => receipt.last,
        other => panic!("not recorded: {other:?}"),
    }
}

pub(crate) fn declared(title: &str) -> serde_json::Value {
    serde_json::json!({"type": "incident.declared", "by": "ann", "title": title, "severity": "sev2"})
}

pub(crate) fn note() -> serde_json::Value {
    serde_json::json!({"type": "incident.note_added", "by": "ann", "text": "seen"})
}
