//! A log that fails, delays and loses answers by chance, keeps its own record, and checks what it is given.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use storage::{Append, EventLog, Receipt, Recorded, StorageError, Verdict, Wanted};
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::dice::Dice;
use crate::model::Model;

/// A payload that this log takes for no JSON.
pub(crate) const POISON: &str = "poison";

/// How often, in a thousand calls, something goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Trouble {
    pub(crate) lost_answers: u64,
    pub(crate) lost_requests: u64,
    pub(crate) full: u64,
    pub(crate) panics: u64,
}

/// What a log must never do; for the controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Says that it has something which it has not.
    Duplicate,
    /// Says that it keeps what it throws away.
    Committed,
    /// Says that it refuses what it keeps.
    Conflict,
    /// Says that another place in the log is the command's.
    Receipt,
}

#[derive(Debug)]
pub(crate) struct Fake {
    kept: Mutex<Kept>,
    busy: AtomicBool,
}

#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) model: Model,
    pub(crate) calls: usize,
    pub(crate) largest: usize,
    /// What was wrong with what it was given.
    pub(crate) complaints: Vec<String>,
    /// How often the outcome of a call was not told.
    pub(crate) untold: usize,
    dice: Dice,
    trouble: Trouble,
    lie: Option<Lie>,
}

impl Fake {
    pub(crate) fn new(seed: u64, trouble: Trouble, lie: Option<Lie>) -> Arc<Self> {
        let kept = Kept {
            model: Model::default(),
            calls: 0,
            largest: 0,
            complaints: Vec::new(),
            untold: 0,
            dice: Dice::new(seed),
            trouble,
            lie,
        };
        Arc::new(Self { kept: Mutex::new(kept), busy: AtomicBool::new(false) })
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn dawdle(&self) {
        let (yields, pause) = {
            let dice = &mut self.kept().dice;
            (dice.below(3), if dice.one_in(3) { dice.below(40) } else { 0 })
        };
        for _ in 0..yields {
            yield_now().await;
        }
        if pause > 0 {
            sleep(Duration::from_millis(pause)).await;
        }
    }

    async fn answer(&self, batch: &[Append]) -> Result<Vec<Verdict>, StorageError> {
        let _busy = Busy::new(self);
        self.kept().examine(batch);
        self.dawdle().await;
        let answer = self.kept().decide(batch);
        self.dawdle().await;
        answer
    }
}

/// One batch is in flight at a time.
struct Busy<'a>(&'a Fake);

impl<'a> Busy<'a> {
    fn new(fake: &'a Fake) -> Self {
        if fake.busy.swap(true, Ordering::SeqCst) {
            fake.kept().complaints.push("two batches at a time".to_owned());
        }
        Self(fake)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::SeqCst);
    }
}

impl Kept {
    /// What `EventLog::append` says of a batch.
    fn examine(&mut self, batch: &[Append]) {
        self.calls += 1;
        self.largest = self.largest.max(batch.len());
        let (mut streams, mut ids, mut keys, mut claims) =
            (HashSet::new(), HashSet::new(), HashSet::new(), HashSet::new());
        for append in batch {
            let asked = append.idempotency.as_ref();
            let alone = append.streams.iter().all(|write| streams.insert(&write.stream))
                & ids.insert(append.command_id)
                & asked.is_none_or(|asked| keys.insert((&asked.principal, &asked.key)))
                & append.claim.is_none_or(|claim| claims.insert(claim.work_id));
            if !alone || append.event_count() == 0 {
                self.complaints.push(format!("{append:?} may not be in its batch"));
            }
        }
        if batch.is_empty() {
            self.complaints.push("an empty batch".to_owned());
        }
    }

    fn decide(&mut self, batch: &[Append]) -> Result<Vec<Verdict>, StorageError> {
        if batch
            .iter()
            .any(|append| append.streams.iter().any(|write| write.events.iter().any(|e| e.payload == POISON)))
        {
            return Err(StorageError::Rejected("no JSON".to_owned()));
        }
        let Trouble { lost_answers, lost_requests, full, panics } = self.trouble;
        let mut chance = self.dice.below(1000);
        let mut strikes = |share: u64| {
            let hit = chance < share;
            chance = chance.wrapping_sub(share);
            hit
        };
        if strikes(lost_requests) {
            self.untold += 1;
            return Err(StorageError::Unavailable("the request was lost".to_owned()));
        }
        if strikes(full) {
            return Err(StorageError::Full("no space".to_owned()));
        }
        let (lost, panics) = (strikes(lost_answers), strikes(panics));
        let verdicts = batch.iter().map(|append| self.verdict(append)).collect();
        self.untold += usize::from(lost || panics);
        assert!(!panics, "on purpose");
        if lost { Err(StorageError::Unavailable("the answer was lost".to_owned())) } else { Ok(verdicts) }
    }

    fn verdict(&mut self, append: &Append) -> Verdict {
        let nowhere = Receipt { first: 1_000_000, last: 1_000_000 };
        match self.lie.filter(|_| self.dice.one_in(10)) {
            Some(Lie::Duplicate) => Verdict::Duplicate(nowhere),
            Some(Lie::Committed) => Verdict::Committed(nowhere),
            Some(Lie::Conflict) => {
                self.model.append(append);
                Verdict::Conflict
            }
            Some(Lie::Receipt) => match self.model.append(append) {
                Verdict::Committed(receipt) => {
                    Verdict::Committed(Receipt { first: receipt.first + 1, last: receipt.last + 1 })
                }
                verdict => verdict,
            },
            None => self.model.append(append),
        }
    }
}

impl EventLog for Fake {
    fn append<'a>(&'a self, batch: &'a [Append]) -> BoxFuture<'a, Result<Vec<Verdict>, StorageError>> {
        self.answer(batch).boxed()
    }

    fn load<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Result<Vec<Recorded>, StorageError>> {
        async {
            self.dawdle().await;
            let mut kept = self.kept();
            let lost = kept.trouble.lost_answers;
            if kept.dice.below(1000) < lost {
                return Err(StorageError::Unavailable("the load was lost".to_owned()));
            }
            Ok(kept.model.load(wanted))
        }
        .boxed()
    }
}
