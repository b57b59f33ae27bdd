//! Random but lawful histories: every event is what an aggregate decided when a random command met it. The same seed
//! gives the same history, but for the ids of its events.

mod dice;
mod incidents;
mod partner_grants;
mod people;
mod runbooks;
mod status_pages;

use std::collections::{BTreeMap, BTreeSet};

use domain::catalogue::{CATALOGUE, Entry};
use domain::{Aggregate, StoredEvent};
use futures_util::future::join_all;
use storage::{Append, NewEvent, Store, StreamId, StreamWrite, Verdict};
use uuid::Uuid;

pub use dice::Dice;

/// Commands sent at once when a history is told, each on streams of its own.
const AT_ONCE: usize = 256;
/// Out of a hundred commands, how many go to incidents, and how many to what else there is but runbooks.
const INCIDENTS: u64 = 34;
const STATUS_PAGES: u64 = 16;
const PARTNER_GRANTS: u64 = 12;
const PEOPLE: u64 = 12;

/// A history that goes on for ever.
#[derive(Debug)]
pub struct History {
    dice: Dice,
    incidents: incidents::Incidents,
    runbooks: runbooks::Runbooks,
    status_pages: status_pages::StatusPages,
    partner_grants: partner_grants::PartnerGrants,
    people: people::People,
    told: BTreeMap<String, u64>,
}

/// An aggregate, and how many events it has.
#[derive(Debug, Clone, Default)]
struct Known<A> {
    id: String,
    state: A,
    sequence: u64,
}

impl History {
    /// Of streams that have about `length` events.
    pub fn new(seed: u64, length: u64) -> Self {
        let dice = Dice::new(seed);
        let (incidents, runbooks) = (incidents::Incidents::new(seed, length), runbooks::Runbooks::new(seed, length));
        let status_pages = status_pages::StatusPages::new(seed);
        let partner_grants = partner_grants::PartnerGrants::new(seed);
        let people = people::People::new(seed);
        Self { dice, incidents, runbooks, status_pages, partner_grants, people, told: BTreeMap::new() }
    }

    /// What happens next, as one append. What comes before it on its streams must be recorded first.
    pub fn next_append(&mut self) -> Append {
        loop {
            let append = match self.dice.below(100) {
                n if n < INCIDENTS => self.incidents.next(&mut self.dice),
                n if n < INCIDENTS + STATUS_PAGES => self.status_pages.next(&mut self.dice),
                n if n < INCIDENTS + STATUS_PAGES + PARTNER_GRANTS => {
                    self.partner_grants.next(&mut self.dice, self.status_pages.known())
                }
                n if n < INCIDENTS + STATUS_PAGES + PARTNER_GRANTS + PEOPLE => self.people.next(&mut self.dice),
                _ => self.runbooks.next(&mut self.dice),
            };
            if append.event_count() > 0 {
                for event in append.streams.iter().flat_map(|write| &write.events) {
                    *self.told.entry(event.event_type.clone()).or_default() += 1;
                }
                return append;
            }
        }
    }

    /// Records at least `events` more events, and says how many it were. The history's order within each stream is kept.
    pub async fn tell(&mut self, store: &Store, events: usize) -> usize {
        let mut told = 0;
        let mut next = None;
        while told < events {
            let mut streams: BTreeSet<StreamId> = BTreeSet::new();
            let mut batch = Vec::new();
            while batch.len() < AT_ONCE && told < events {
                let append = next.take().unwrap_or_else(|| self.next_append());
                if append.streams.iter().any(|write| streams.contains(&write.stream)) {
                    next = Some(append);
                    break;
                }
                streams.extend(append.streams.iter().map(|write| write.stream.clone()));
                told += append.event_count();
                batch.push(append);
            }
            for verdict in join_all(batch.into_iter().map(|append| store.append(append))).await {
                assert!(matches!(verdict, Ok(Verdict::Committed(_))), "a history is lawful: {verdict:?}");
            }
        }
        if let Some(append) = next {
            told += append.event_count();
            let verdict = store.append(append).await;
            assert!(matches!(verdict, Ok(Verdict::Committed(_))), "a history is lawful: {verdict:?}");
        }
        told
    }

    /// How often each event was told.
    pub fn histogram(&self) -> &BTreeMap<String, u64> {
        &self.told
    }

    /// The events that were told too seldom for a history to prove much about them: never, or in less than 2 % of what
    /// happened to aggregates of their type. With every aggregate that there is, a share of the whole would mean less.
    pub fn rare(&self) -> Vec<(&'static str, u64)> {
        let times = |name: &str| self.told.get(name).copied().unwrap_or_default();
        let rare = |entry: &Entry| {
            let all: u64 = entry.events.iter().map(|name| times(name)).sum();
            let events = entry.events.iter().map(|name| (*name, times(name)));
            events.filter(|(_, times)| times * 50 < all.max(1)).collect::<Vec<_>>()
        };
        CATALOGUE.iter().flat_map(rare).collect()
    }
}

/// Lets an aggregate decide, and folds what it decided. A refusal is no event.
fn decided<A: Aggregate>(known: &mut Known<A>, command: &A::Command) -> StreamWrite {
    let events = known.state.decide(command).unwrap_or_default();
    let write = StreamWrite {
        stream: StreamId::new(A::TYPE, &known.id),
        expected: known.sequence,
        events: events.iter().map(stored).collect(),
    };
    for event in &events {
        known.state.apply(event);
    }
    known.sequence += events.len() as u64;
    write
}

fn stored<E: StoredEvent>(event: &E) -> NewEvent {
    NewEvent {
        event_id: fresh(),
        event_type: event.name().to_owned(),
        event_version: event.version(),
        payload: serde_json::to_string(event).expect("an event is JSON"),
    }
}

/// One command over these streams, by one of a few people.
fn append(dice: &mut Dice, streams: Vec<StreamWrite>) -> Append {
    let streams = streams.into_iter().filter(|write| !write.events.is_empty()).collect();
    let actor = person(dice);
    let metadata = serde_json::json!({"actor_kind": "user", "actor_id": actor, "correlation_id": fresh()});
    Append { metadata: metadata.to_string(), ..Append::new(fresh(), streams) }
}

#[expect(clippy::disallowed_methods, reason = "the same history told twice is two histories")]
fn fresh() -> Uuid {
    Uuid::now_v7()
}

fn person(dice: &mut Dice) -> String {
    format!("user-{}", dice.below(12))
}

#[cfg(test)]
mod tests {
    use super::History;

    /// How many events are told: as many as the comparisons of views are made over.
    const EVENTS: u64 = 100_000;

    /// Quick to run when chances are shifted; where histories are used it is asserted of each once more.
    #[test]
    fn every_event_has_its_share() {
        let mut history = History::new(1, 12);
        while history.histogram().values().sum::<u64>() < EVENTS {
            history.next_append();
        }
        assert_eq!(history.rare(), [], "{:?}", history.histogram());
    }

    #[test]
    fn what_was_never_told_is_rare() {
        let names: usize = domain::catalogue::CATALOGUE.iter().map(|entry| entry.events.len()).sum();
        assert_eq!(History::new(1, 12).rare().len(), names);
    }
}
