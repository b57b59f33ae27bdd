//! Parts of the log: small events come many at once, large ones few, and nothing is lost, doubled or changed on the way.
//! Control: read without that bound, all of them come at once.

use storage::{NewEvent, Recorded, Store, StreamPlace, StreamWrite};

use crate::bed::{Bed, everywhere};
use crate::commands::{command, committed, event, fresh, stream};

everywhere!(parts_are_bounded_whatever_their_events_weigh, what_is_compressed_counts_for_what_it_may_become);

/// The bound that `storage` sets, and the largest event of these tests.
const PART: usize = 8 << 20;
const LARGEST: usize = 1 << 20;
const MANY: usize = 500;

/// JSON of about so many bytes that no compression makes smaller.
fn random(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 64);
    while text.len() < bytes {
        text.push_str(&uuid::Uuid::new_v5(&fresh(), text.len().to_string().as_bytes()).simple().to_string());
    }
    format!("{{\"text\":\"{text}\"}}")
}

fn repeated(bytes: usize) -> String {
    format!("{{\"text\":\"{}\"}}", "a".repeat(bytes))
}

async fn append(store: &Store, id: &str, payloads: Vec<String>) {
    let events: Vec<NewEvent> = payloads.into_iter().map(event).collect();
    committed(store.append(command(vec![StreamWrite { stream: stream(id), expected: 0, events }])).await);
}

/// The whole log in parts, in its order.
async fn in_order(store: &Store) -> Vec<Vec<Recorded>> {
    let (mut parts, mut position) = (Vec::new(), 0);
    loop {
        let part = store.read_part(position, MANY).await.unwrap();
        let Some(last) = part.last() else { return parts };
        position = last.position;
        parts.push(part);
    }
}

/// The whole log in parts, stream by stream.
async fn by_stream(store: &Store) -> Vec<Vec<Recorded>> {
    let (mut parts, mut place) = (Vec::new(), StreamPlace::default());
    loop {
        let part = store.read_streams("thing", &place, u64::MAX, MANY).await.unwrap();
        let Some(last) = part.last() else { return parts };
        place = StreamPlace::after(last);
        parts.push(part);
    }
}

fn weight(part: &[Recorded]) -> usize {
    part.iter().map(|event| event.payload.len()).sum()
}

async fn parts_are_bounded_whatever_their_events_weigh(bed: &Bed) {
    let store = &bed.store;
    // Few large ones among many small ones, then large ones alone, then everything between.
    append(store, "a", (0..100).map(|n| if n % 20 == 7 { random(LARGEST / 8) } else { random(50) }).collect()).await;
    append(store, "b", (0..20).map(|_| random(LARGEST)).collect()).await;
    append(store, "c", (0..60).map(|n| random(100 * n)).collect()).await;
    for id in 0..9 {
        append(store, &format!("d{id}"), (0..99).map(|n| format!("{{\"n\":{n}}}")).collect()).await;
    }
    let all = store.read_after(0, 10_000).await.unwrap();
    assert!(weight(&all) > PART * 2, "the control must be too much, or this shows nothing");
    let mut sorted = all.clone();
    sorted.sort_by(|a, b| (&a.stream, a.sequence).cmp(&(&b.stream, b.sequence)));
    for (parts, expected) in [(in_order(store).await, all), (by_stream(store).await, sorted)] {
        assert!(parts.concat() == expected, "events were lost, doubled or changed");
        assert!(parts.iter().all(|part| weight(part) < PART + LARGEST * 2), "a part is too large");
        assert_eq!(parts.iter().map(Vec::len).max(), Some(MANY), "small events come many at once");
    }
}

async fn what_is_compressed_counts_for_what_it_may_become(bed: &Bed) {
    let store = &bed.store;
    for id in 0..3 {
        append(store, &id.to_string(), (0..40).map(|_| repeated(LARGEST)).collect()).await;
    }
    let all = store.read_after(0, MANY).await.unwrap();
    assert!(weight(&all) > PART * 14, "the control must be too much, or this shows nothing");
    for parts in [in_order(store).await, by_stream(store).await] {
        assert!(parts.iter().all(|part| weight(part) < PART * 12), "a part is too large");
        assert!(parts.concat() == all, "events were lost, doubled or changed");
    }
}
