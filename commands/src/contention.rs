//! Queues before streams on which callers of this process have collided, so that they stop colliding.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage::StreamId;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

#[derive(Debug, Default)]
pub(crate) struct Contention {
    turns: Mutex<HashMap<StreamId, Arc<Turn<()>>>>,
}

/// One's turn on some streams, until dropped.
#[derive(Debug)]
pub(crate) struct Turns<'a> {
    contention: &'a Contention,
    held: Vec<(StreamId, Option<OwnedMutexGuard<()>>)>,
}

impl Contention {
    /// Waits for one's turn on a stream if others queue there; else goes ahead.
    pub(crate) async fn join(&self, stream: &StreamId) -> Option<Turns<'_>> {
        let queued = {
            let turns = self.turns();
            if turns.is_empty() {
                return None;
            }
            turns.contains_key(stream)
        };
        if queued { Some(self.queue(vec![stream.clone()]).await) } else { None }
    }

    /// Waits for one's turn on every stream. In one order for all, so that nobody waits in a circle.
    pub(crate) async fn queue(&self, mut streams: Vec<StreamId>) -> Turns<'_> {
        streams.sort();
        streams.dedup();
        let mut mine = Turns { contention: self, held: Vec::with_capacity(streams.len()) };
        for stream in streams {
            let turn = self.turns().entry(stream.clone()).or_default().clone();
            mine.held.push((stream, None));
            let guard = turn.lock_owned().await;
            if let Some(last) = mine.held.last_mut() {
                last.1 = Some(guard);
            }
        }
        mine
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<StreamId, Arc<Turn<()>>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turns<'_> {
    fn drop(&mut self) {
        for (stream, guard) in self.held.drain(..) {
            drop(guard);
            let mut turns = self.contention.turns();
            // The map's own is the last one: nobody holds or waits for it.
            if turns.get(&stream).is_some_and(|turn| Arc::strong_count(turn) == 1) {
                turns.remove(&stream);
            }
        }
    }
}
