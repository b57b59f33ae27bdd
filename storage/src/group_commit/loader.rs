//! The load side: callers who want streams at the same time share a query.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::combine::{Combiner, Job, Waiting};
use crate::StorageError;
use crate::events::{EventLog, Recorded, StreamId, Wanted};

/// Queries in flight at most, and callers in one query.
const LANES: usize = 2;
const CALLERS: usize = 256;

pub(crate) struct Loader {
    combiner: Combiner<Loads>,
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.combiner.fmt(f)
    }
}

struct Loads {
    log: Arc<dyn EventLog>,
}

impl Loader {
    pub(crate) fn new(log: Arc<dyn EventLog>, places: usize) -> Self {
        Self { combiner: Combiner::new(Loads { log }, LANES, places) }
    }

    /// The wanted part of each stream, in the order asked for; empty where there is nothing.
    pub(crate) async fn load(&self, wanted: Vec<Wanted>) -> Result<Vec<Vec<Recorded>>, StorageError> {
        // Within a query it would cost all others theirs.
        if let Some(wrong) = wanted.iter().find(|wanted| !wanted.stream.can_be()) {
            return Err(StorageError::Rejected(format!("{:?} cannot be a stream", wrong.stream)));
        }
        let lost = |_| StorageError::Unavailable("the load was abandoned".to_owned());
        self.combiner.submit(wanted).await.map_err(lost)?
    }
}

impl Job for Loads {
    type Ask = Vec<Wanted>;
    type Answer = Result<Vec<Vec<Recorded>>, StorageError>;

    fn select(&self, waiting: &mut VecDeque<Waiting<Self>>) -> Vec<Waiting<Self>> {
        let callers = waiting.len().min(CALLERS);
        waiting.drain(..callers).collect()
    }

    async fn run(&self, asks: Vec<Vec<Wanted>>) -> Vec<Self::Answer> {
        let merged = merge(&asks);
        match self.log.load(&merged).await {
            Ok(events) => deal(&asks, events),
            Err(error) => asks.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}

/// Every stream once, from the earliest point that somebody wants.
fn merge(asks: &[Vec<Wanted>]) -> Vec<Wanted> {
    // One caller may want a stream twice; one wanted stream cannot.
    if let [only] = asks
        && only.len() == 1
    {
        return only.clone();
    }
    let mut earliest: HashMap<&StreamId, u64> = HashMap::new();
    for wanted in asks.iter().flatten() {
        earliest.entry(&wanted.stream).and_modify(|after| *after = wanted.after.min(*after)).or_insert(wanted.after);
    }
    earliest.into_iter().map(|(stream, after)| Wanted { stream: stream.clone(), after }).collect()
}

/// Gives everyone what he asked for.
fn deal(asks: &[Vec<Wanted>], events: Vec<Recorded>) -> Vec<Result<Vec<Vec<Recorded>>, StorageError>> {
    if let [only] = asks
        && let [_] = only.as_slice()
    {
        return vec![Ok(vec![events])];
    }
    let mut streams: HashMap<StreamId, Vec<Recorded>> = HashMap::new();
    for event in events {
        match streams.get_mut(&event.stream) {
            Some(stream) => stream.push(event),
            None => {
                streams.insert(event.stream.clone(), vec![event]);
            }
        }
    }
    let part = |wanted: &Wanted| -> Vec<Recorded> {
        let stream = streams.get(&wanted.stream).map(Vec::as_slice).unwrap_or_default();
        stream.iter().filter(|event| event.sequence > wanted.after).cloned().collect()
    };
    asks.iter().map(|ask| Ok(ask.iter().map(part).collect())).collect()
}
