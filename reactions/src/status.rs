//! How the reactors and workers of this process are doing, for metrics and readiness.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Cheap to clone; all clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Status(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    reactors: BTreeMap<&'static str, ReactorState>,
    outcomes: BTreeMap<&'static str, Outcomes>,
    running: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactorState {
    pub name: &'static str,
    /// Up to where it has read, here.
    pub position: u64,
    pub doing: Doing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doing {
    Following,
    /// Another node does it, and this one goes on if that stops.
    StandingBy,
    /// The event at `position` cannot be reacted to. Nothing is skipped: it is tried again, and waits for a repair.
    Halted {
        position: u64,
        why: String,
    },
    /// The database does not answer.
    Interrupted {
        why: String,
    },
}

/// How runs ended since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    pub done: u64,
    pub told: u64,
    pub retried: u64,
    pub failed: u64,
    /// Came too late: somebody else had the work by then.
    pub fenced: u64,
    /// Cut short, at the end of the process or because the claim was lost.
    pub cut_short: u64,
}

impl Status {
    pub fn reactors(&self) -> Vec<ReactorState> {
        self.inner().reactors.values().cloned().collect()
    }

    /// By kind of work.
    pub fn outcomes(&self) -> BTreeMap<&'static str, Outcomes> {
        self.inner().outcomes.clone()
    }

    /// Work that is under way in this process.
    pub fn running(&self) -> usize {
        self.inner().running
    }

    pub(crate) fn reactor(&self, name: &'static str, position: u64, doing: Doing) {
        self.inner().reactors.insert(name, ReactorState { name, position, doing });
    }

    /// From `position` on. What had halted counts as halted until it is past what stood in its way.
    pub(crate) fn follows_again(&self, name: &'static str, position: u64) {
        let halted = |state: &ReactorState| matches!(state.doing, Doing::Halted { position: at, .. } if at > position);
        let mut inner = self.inner();
        if !inner.reactors.get(name).is_some_and(halted) {
            inner.reactors.insert(name, ReactorState { name, position, doing: Doing::Following });
        }
    }

    pub(crate) fn doing(&self, name: &'static str, doing: Doing) {
        if let Some(state) = self.inner().reactors.get_mut(name) {
            state.doing = doing;
        }
    }

    pub(crate) fn count(&self, kind: &'static str, add: impl FnOnce(&mut Outcomes)) {
        add(self.inner().outcomes.entry(kind).or_default());
    }

    pub(crate) fn runs(&self, running: usize) {
        self.inner().running = running;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
