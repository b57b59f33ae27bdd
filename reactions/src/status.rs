//! How the reactors and workers of this process are doing, for metrics and readiness.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::watch::Part;

/// Cheap to clone; all clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Status(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    reactors: BTreeMap<&'static str, ReactorState>,
    outcomes: BTreeMap<&'static str, Outcomes>,
    running: usize,
    panics: BTreeMap<Part, u64>,
    /// Parts that have panicked and do not yet go on, with what they said.
    broken: BTreeMap<Part, String>,
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
    /// The database does not answer, or a fault of ours ended it; it is tried again.
    Interrupted {
        why: String,
    },
}

/// A part that is broken now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub part: Part,
    pub why: String,
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

    /// How often each part has panicked since the process began. It began anew each time.
    pub fn panics(&self) -> BTreeMap<Part, u64> {
        self.inner().panics.clone()
    }

    /// What has panicked and does not go on yet.
    pub fn faults(&self) -> Vec<Fault> {
        let inner = self.inner();
        inner.broken.iter().map(|(part, why)| Fault { part: *part, why: why.clone() }).collect()
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
        inner.broken.remove(&Part::Reactor(name));
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

    /// A part has panicked. A run is not begun anew here: its work is taken up again by whoever claims it next.
    pub(crate) fn broke(&self, part: Part, why: &str) {
        if let Part::Reactor(name) = part {
            self.doing(name, Doing::Interrupted { why: format!("it panicked: {why}") });
        }
        let mut inner = self.inner();
        *inner.panics.entry(part).or_default() += 1;
        if !matches!(part, Part::Run(_)) {
            inner.broken.insert(part, why.to_owned());
        }
    }

    pub(crate) fn works(&self, part: Part) {
        self.inner().broken.remove(&part);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
