//! The states of aggregates that were seen lately. A state from here may be old: it may decide an append, which its
//! expectation guards, but it may not refuse.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use domain::Aggregate;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use storage::StreamId;

/// What the cached states may weigh together, in bytes of the events that they were folded from.
const BUDGET: u64 = 64 << 20;
/// Roughly how many aggregates that is.
const EXPECTED: usize = 20_000;
/// What a state weighs beside its events.
const OVERHEAD: u64 = 512;

/// An aggregate as of `sequence`.
#[derive(Clone)]
pub(crate) struct Seen<A: ?Sized> {
    pub(crate) state: Arc<A>,
    pub(crate) sequence: u64,
    /// Of its last event.
    pub(crate) position: u64,
    /// Bytes of the events folded so far.
    pub(crate) weight: u64,
}

impl<A: Aggregate> Seen<A> {
    pub(crate) fn erased(self) -> Seen<dyn Any + Send + Sync> {
        Seen { state: self.state, sequence: self.sequence, position: self.position, weight: self.weight }
    }

    pub(crate) fn nothing() -> Self {
        Self { state: Arc::new(A::default()), sequence: 0, position: 0, weight: 0 }
    }
}

#[derive(Clone)]
struct Held {
    state: Arc<dyn Any + Send + Sync>,
    sequence: u64,
    position: u64,
    weight: u64,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<StreamId, Held> for ByBytes {
    fn weight(&self, _: &StreamId, held: &Held) -> u64 {
        OVERHEAD + held.weight
    }
}

pub(crate) struct States {
    held: Cache<StreamId, Held, ByBytes>,
    /// The history that they were read from.
    epoch: Mutex<Option<Arc<str>>>,
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("States").field("len", &self.held.len()).finish_non_exhaustive()
    }
}

impl Default for States {
    fn default() -> Self {
        Self { held: Cache::with_weighter(EXPECTED, BUDGET, ByBytes), epoch: Mutex::new(None) }
    }
}

impl States {
    /// Forgets everything that was read from another history than `epoch`.
    pub(crate) fn belong_to(&self, epoch: Arc<str>) {
        let mut present = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        if present.as_ref().is_some_and(|present| *present != epoch) {
            self.held.clear();
        }
        *present = Some(epoch);
    }

    pub(crate) fn get<A: Aggregate>(&self, stream: &StreamId) -> Option<Seen<A>> {
        let Held { state, sequence, position, weight } = self.held.get(stream)?;
        Some(Seen { state: state.downcast().ok()?, sequence, position, weight })
    }

    pub(crate) fn sequence(&self, stream: &StreamId) -> Option<u64> {
        self.held.get(stream).map(|held| held.sequence)
    }

    pub(crate) fn keep(&self, stream: &StreamId, seen: Seen<dyn Any + Send + Sync>) {
        // Two callers may come back out of order; the newer state stays.
        if self.sequence(stream).is_none_or(|kept| kept < seen.sequence) {
            let Seen { state, sequence, position, weight } = seen;
            self.held.insert(stream.clone(), Held { state, sequence, position, weight });
        }
    }
}
