//! SYNTHETIC: no version was ever upcast yet. This invents an old version of an event, to prove the road that a real
//! one will take, through our own decoder and through cqrs-es's.

use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use domain::cqrs::AdaptedUpcaster;
use domain::incident::Event;
use domain::stored::{decode_with, lift};
use domain::{DecodeError, Upcaster};
use serde_json::{Value, json};

const NAME: &str = "incident.note_added";

/// The synthetic change: the text was called `body`.
fn rename_body(mut payload: Value) -> Value {
    if let Some(map) = payload.as_object_mut()
        && let Some(body) = map.remove("body")
    {
        map.insert("text".to_owned(), body);
    }
    payload
}

/// A synthetic change before that: the author was an object.
fn flatten_author(mut payload: Value) -> Value {
    let id = payload["author"]["id"].clone();
    if let Some(map) = payload.as_object_mut() {
        map.remove("author");
        map.insert("by".to_owned(), id);
    }
    payload
}

/// Today's version is 1, so the invented old one is 0. It was never written.
const SYNTHETIC: &[Upcaster] = &[Upcaster { event_type: NAME, from: 0, lift: rename_body }];

#[test]
fn our_decoder_lifts_a_synthetic_old_version() {
    let old = json!({"type": NAME, "by": "user:a", "body": "hello"});
    let event: Event = decode_with(SYNTHETIC, NAME, 0, old).unwrap();
    assert_eq!(event, Event::NoteAdded { by: "user:a".into(), text: "hello".to_owned() });
}

#[test]
fn a_chain_of_synthetic_upcasters_runs_in_order_whatever_the_order_they_are_listed_in() {
    let chain = [
        Upcaster { event_type: NAME, from: 2, lift: rename_body },
        Upcaster { event_type: NAME, from: 1, lift: flatten_author },
        Upcaster { event_type: "incident.resolved", from: 1, lift: |_| unreachable!("another event's") },
    ];
    let oldest = json!({"type": NAME, "author": {"id": "user:a"}, "body": "hello"});
    let (version, payload) = lift(&chain, NAME, 1, oldest);
    assert_eq!((version, payload), (3, json!({"type": NAME, "by": "user:a", "text": "hello"})));
}

#[test]
fn without_the_upcaster_the_synthetic_old_version_does_not_decode() {
    let old = json!({"type": NAME, "by": "user:a", "body": "hello"});
    let result: Result<Event, _> = decode_with(&[], NAME, 0, old);
    assert!(matches!(result, Err(DecodeError::Malformed { .. })));
}

#[test]
fn an_upcaster_too_many_is_a_version_from_the_future() {
    let chain = [Upcaster { event_type: NAME, from: 1, lift: |payload| payload }];
    let today = json!({"type": NAME, "by": "user:a", "text": "hello"});
    let result: Result<Event, _> = decode_with(&chain, NAME, 1, today);
    assert!(matches!(result, Err(DecodeError::Version { .. })));
}

#[test]
fn cqrs_es_lifts_through_the_same_upcaster() {
    let adapted = AdaptedUpcaster(SYNTHETIC[0]);
    assert!(adapted.can_upcast(NAME, "0"));
    assert!(!adapted.can_upcast(NAME, "1"));
    assert!(!adapted.can_upcast("incident.resolved", "0"));

    let payload = json!({"type": NAME, "by": "user:a", "body": "hello"});
    let stored = SerializedEvent::new(
        "incident:1".to_owned(),
        3,
        "incident".to_owned(),
        NAME.to_owned(),
        "0".to_owned(),
        payload,
        json!({}),
    );
    let lifted = adapted.upcast(stored);
    assert_eq!(lifted.event_version, "1");
    let event: Event = serde_json::from_value(lifted.payload).unwrap();
    assert_eq!(event, Event::NoteAdded { by: "user:a".into(), text: "hello".to_owned() });
}
