//! The witness: writes down, outside of what is killed, what was acknowledged, and holds the log against it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use storage::Recorded;

/// What a client was told.
#[derive(Debug, Clone)]
pub(super) struct Acknowledged {
    pub(super) position: u64,
    pub(super) event_type: &'static str,
    /// Words that stand in the event's payload, and in no other's.
    pub(super) content: String,
}

/// A request that was sent and never answered: it may have happened.
#[derive(Debug, Clone)]
pub(super) struct Unanswered {
    pub(super) key: String,
    pub(super) title: String,
}

#[derive(Debug, Default)]
pub(super) struct Witness {
    acknowledged: Mutex<Vec<Acknowledged>>,
    unanswered: Mutex<Vec<Unanswered>>,
    in_flight: AtomicUsize,
}

impl Witness {
    pub(super) fn sent(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answered(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn acknowledge(&self, acknowledged: Acknowledged) {
        lock(&self.acknowledged).push(acknowledged);
    }

    pub(super) fn leave_open(&self, unanswered: Unanswered) {
        lock(&self.unanswered).push(unanswered);
    }

    pub(super) fn acknowledgements(&self) -> usize {
        lock(&self.acknowledged).len()
    }

    /// Takes the requests without an answer, to send them again.
    pub(super) fn take_unanswered(&self) -> Vec<Unanswered> {
        std::mem::take(&mut *lock(&self.unanswered))
    }

    /// Everything in which the log is not as was acknowledged. Empty: it holds.
    pub(super) fn objections(&self, log: &[Recorded]) -> Vec<String> {
        let mut objections: Vec<String> =
            lock(&self.acknowledged).iter().filter_map(|said| objection(said, log)).collect();
        objections.extend(halves(log));
        objections.extend(doubles(log));
        objections
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

fn objection(said: &Acknowledged, log: &[Recorded]) -> Option<String> {
    let Acknowledged { position, event_type, content } = said;
    let index = usize::try_from(*position).unwrap() - 1;
    match log.get(index) {
        None => Some(format!("{event_type} '{content}' was acknowledged at {position}, the log ends at {}", log.len())),
        Some(found) if found.event_type != *event_type || !found.payload.contains(content) => {
            let (is, payload) = (&found.event_type, &found.payload);
            Some(format!("{event_type} '{content}' was acknowledged at {position}, where {is} {payload} stands"))
        }
        Some(_) => None,
    }
}

/// Merges of which one stream knows and the other does not.
fn halves(log: &[Recorded]) -> Vec<String> {
    let mut commands: HashMap<_, Vec<&str>> = HashMap::new();
    for event in log {
        commands.entry(event.command_id).or_default().push(&event.event_type);
    }
    let merges = commands.values().filter(|types| types.iter().any(|t| *t == MERGED || *t == ABSORBED));
    merges.filter(|types| **types != [MERGED, ABSORBED]).map(|types| format!("half a merge: {types:?}")).collect()
}

pub(super) const DECLARED: &str = "incident.declared";
pub(super) const MERGED: &str = "incident.merged_into";
pub(super) const ABSORBED: &str = "incident.absorbed";

/// Incidents that were declared twice although every one had its key.
fn doubles(log: &[Recorded]) -> Vec<String> {
    let mut titles: BTreeMap<String, usize> = BTreeMap::new();
    for event in log.iter().filter(|event| event.event_type == DECLARED) {
        let payload: serde_json::Value = serde_json::from_str(&event.payload).unwrap();
        *titles.entry(payload["title"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    titles.into_iter().filter(|(_, count)| *count > 1).map(|(title, count)| format!("{title}: {count} times")).collect()
}

/// The control: what the witness would say if something were lost, changed, halved or doubled.
#[test]
fn the_witness_objects_to_everything_that_is_wrong() {
    let event = |position: u64, command: u128, event_type: &str, title: &str| Recorded {
        position,
        stream: storage::StreamId::new("incident", "i"),
        sequence: position,
        event_type: event_type.to_owned(),
        event_version: 1,
        payload: serde_json::json!({ "type": event_type, "title": title }).to_string(),
        metadata: "{}".to_owned(),
        event_id: uuid::Uuid::from_u128(position.into()),
        command_id: uuid::Uuid::from_u128(command),
        command_ord: 0,
        salt: [0; 16],
        recorded_at_us: 0,
    };
    let witness = Witness::default();
    let told = |position, content: &str| Acknowledged { position, event_type: DECLARED, content: content.to_owned() };
    witness.acknowledge(told(1, "one"));
    witness.acknowledge(told(2, "two"));
    let good = [event(1, 1, DECLARED, "one"), event(2, 2, DECLARED, "two")];
    let merged = [event(3, 3, MERGED, "m"), event(4, 3, ABSORBED, "m")];
    assert_eq!(witness.objections(&[&good[..], &merged[..]].concat()), Vec::<String>::new());
    let lost = witness.objections(&good[..1]);
    assert!(lost.len() == 1 && lost[0].contains("the log ends at 1"), "{lost:?}");
    assert_eq!(witness.objections(&[good[0].clone(), event(2, 2, DECLARED, "other")]).len(), 1);
    assert_eq!(witness.objections(&[&good[..], &merged[..1]].concat()).len(), 1);
    assert_eq!(witness.objections(&[&good[..], &[event(3, 3, DECLARED, "two")]].concat()).len(), 1);
}
