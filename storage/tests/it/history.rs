//! Random histories: what a few clients and workers may do on a few streams, so that they get into each other's way.

use std::time::Duration;

use proptest::prelude::*;
use storage::work::Claim;
use storage::{Append, StreamId, StreamWrite};
use uuid::Uuid;

use crate::commands::{HOUR, event, fresh, keyed};
use crate::model::Model;

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sent at the same time, in this order.
    Batch(Vec<Draft>),
    /// Some work comes up, again or for the first time.
    AddWork(usize),
    /// A worker claims what is next; with a lease that is over at once, another may claim it after him.
    Claim { lease: Duration },
}

/// A command before it is known on what state it is decided.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) sent: Sent,
    /// Stream, what is expected of it, and how many events go there: none is a guard.
    writes: Vec<(usize, Expected, usize)>,
    /// Key, body, lifetime.
    key: Option<(usize, u8, Duration)>,
    /// Work, and how far the attempt is from the last one that was claimed.
    claim: Option<(usize, i32)>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Sent {
    Fresh,
    /// The very same as one before.
    Again(prop::sample::Index),
    /// Under the id of one before, but decided anew.
    Redecided(prop::sample::Index),
    /// With a payload that no database takes.
    Broken,
}

#[derive(Debug, Clone, Copy)]
enum Expected {
    Head,
    Behind(u64),
    Beyond(u64),
}

pub(crate) const WORK: usize = 3;

pub(crate) fn history() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => prop::collection::vec(draft(), 1..7).prop_map(Step::Batch),
        2 => (0..WORK).prop_map(Step::AddWork),
        3 => lifetime().prop_map(|lease| Step::Claim { lease }),
    ];
    prop::collection::vec(step, 8..20)
}

fn lifetime() -> impl Strategy<Value = Duration> {
    prop_oneof![1 => Just(Duration::ZERO), 2 => Just(HOUR)]
}

fn draft() -> impl Strategy<Value = Draft> {
    let index = any::<prop::sample::Index>;
    let sent = prop_oneof![
        15 => Just(Sent::Fresh),
        2 => index().prop_map(Sent::Again),
        1 => index().prop_map(Sent::Redecided),
        1 => Just(Sent::Broken),
    ];
    let expected = prop_oneof![
        10 => Just(Expected::Head),
        1 => (1..3_u64).prop_map(Expected::Behind),
        1 => (1..3_u64).prop_map(Expected::Beyond),
    ];
    let write = (0..4_usize, expected, prop_oneof![1 => Just(0_usize), 3 => 1..3_usize]);
    let key = (0..3_usize, 0..2_u8, lifetime());
    let claim = (0..WORK, prop_oneof![4 => Just(0), 1 => Just(-1), 1 => Just(1)]);
    (sent, prop::collection::vec(write, 1..4), prop::option::weighted(0.3, key), prop::option::weighted(0.25, claim))
        .prop_map(|(sent, writes, key, claim)| Draft { sent, writes, key, claim })
}

/// Whose streams, keys and work these are: histories share a database, and nothing else.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) name: String,
    pub(crate) work: [Uuid; WORK],
    /// The attempt under which each was last claimed.
    pub(crate) attempts: [i32; WORK],
    pub(crate) sent: Vec<Append>,
}

impl World {
    pub(crate) fn new() -> Self {
        let work = std::array::from_fn(|_| fresh());
        Self { name: work[0].simple().to_string(), work, attempts: [0; WORK], sent: Vec::new() }
    }

    fn stream(&self, n: usize) -> StreamId {
        StreamId::new(["thing", "other"][n % 2], format!("{} {}", self.name, n / 2))
    }

    /// The command that a draft stands for in the state that the model is in.
    pub(crate) fn decide(&mut self, draft: &Draft, model: &Model) -> Append {
        let append = match draft.sent {
            Sent::Again(index) if !self.sent.is_empty() => index.get(&self.sent).clone(),
            Sent::Redecided(index) if !self.sent.is_empty() => {
                Append { command_id: index.get(&self.sent).command_id, ..self.anew(draft, model) }
            }
            Sent::Broken => self.broken(),
            _ => self.anew(draft, model),
        };
        if !matches!(draft.sent, Sent::Broken) {
            self.sent.push(append.clone());
        }
        append
    }

    fn anew(&self, draft: &Draft, model: &Model) -> Append {
        let mut streams: Vec<StreamWrite> = Vec::new();
        for (n, expected, events) in &draft.writes {
            let stream = self.stream(*n);
            if streams.iter().any(|write| write.stream == stream) {
                continue;
            }
            let head = model.head(&stream);
            let expected = match expected {
                Expected::Head => head,
                Expected::Behind(by) => head.saturating_sub(*by),
                Expected::Beyond(by) => head + by,
            };
            // A command has at least one event.
            let events = if streams.is_empty() { (*events).max(1) } else { *events };
            let events = (0..events).map(|n| event(format!(" {{\"n\": {n}}}"))).collect();
            streams.push(StreamWrite { stream, expected, events });
        }
        let mut append = Append::new(fresh(), streams);
        if let Some((key, body, lifetime)) = draft.key {
            append = keyed(append, &format!("{} {key}", self.name), body, lifetime);
        }
        append.claim = draft.claim.map(|(n, off)| Claim { work_id: self.work[n], attempt: self.attempts[n] + off });
        append
    }

    /// Good but for its payload, and on a stream of its own: the databases need not agree on which fault comes first.
    fn broken(&self) -> Append {
        let stream = StreamId::new("broken", format!("{} {}", self.name, fresh()));
        Append::new(fresh(), vec![StreamWrite { stream, expected: 0, events: vec![event("{broken")] }])
    }
}
