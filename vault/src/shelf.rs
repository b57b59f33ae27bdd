//! Keys that were unwrapped lately. Bounded in number and in time: what another node destroyed is gone from here then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use crate::cipher::Key;
use crate::kind::Kind;

/// How long a key may be used before its register is read again: within this time an erasure reaches every node.
pub const REMEMBERED: Duration = Duration::from_secs(5);
/// Owners whose keys are remembered at most.
const OWNERS: usize = 10_000;

/// The keys of one owner by their numbers.
#[derive(Debug)]
pub(crate) enum Keys {
    Erased,
    Kept(BTreeMap<u32, Key>),
}

#[derive(Debug, Clone)]
struct Remembered {
    keys: Arc<Keys>,
    read_at: Instant,
}

#[derive(Debug)]
pub(crate) struct Shelf {
    remembered: Cache<(Kind, String), Remembered>,
    /// How often keys were destroyed here. What was read before the last time is not put on the shelf: a slow reader
    /// would bring back what is gone.
    erasures: Mutex<u64>,
}

/// When a reading began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    began: Instant,
    erasures: u64,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        Self { remembered: Cache::new(OWNERS), erasures: Mutex::new(0) }
    }

    pub(crate) fn get(&self, kind: Kind, owner: &str) -> Option<Arc<Keys>> {
        let found = self.remembered.get(&(kind, owner.to_owned()))?;
        (found.read_at.elapsed() < REMEMBERED).then_some(found.keys)
    }

    pub(crate) fn begin(&self) -> Reading {
        Reading { began: Instant::now(), erasures: *self.erasures.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    pub(crate) fn put(&self, kind: Kind, owner: &str, keys: Arc<Keys>, reading: Reading) {
        let erasures = self.erasures.lock().unwrap_or_else(PoisonError::into_inner);
        if *erasures == reading.erasures {
            self.remembered.insert((kind, owner.to_owned()), Remembered { keys, read_at: reading.began });
        }
    }

    pub(crate) fn erase(&self, kind: Kind, owner: &str) {
        let mut erasures = self.erasures.lock().unwrap_or_else(PoisonError::into_inner);
        *erasures += 1;
        self.remembered.remove(&(kind, owner.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Arc<Keys> {
        Arc::new(Keys::Kept(BTreeMap::new()))
    }

    #[test]
    fn what_was_read_before_an_erasure_does_not_come_back() {
        let shelf = Shelf::new();
        let late = shelf.begin();
        shelf.erase(Kind::Subject, "ada");
        shelf.put(Kind::Subject, "ada", kept(), late);
        assert!(shelf.get(Kind::Subject, "ada").is_none());
        shelf.put(Kind::Subject, "ada", kept(), shelf.begin());
        assert!(shelf.get(Kind::Subject, "ada").is_some(), "control: what is read afterwards is remembered");
        assert!(shelf.get(Kind::Secret, "ada").is_none(), "by kind");
    }

    #[test]
    fn what_was_read_long_ago_is_read_again() {
        let shelf = Shelf::new();
        let now = shelf.begin();
        let Some(long_ago) = now.began.checked_sub(REMEMBERED) else { return };
        shelf.put(Kind::Subject, "ada", kept(), Reading { began: long_ago, ..now });
        assert!(shelf.get(Kind::Subject, "ada").is_none());
    }
}
