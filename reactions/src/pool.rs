//! Claims work for this process's slots, keeps the claims alive while it runs, and drains at the end.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use storage::work::{Claim, Claimed};
use storage::{StorageError, Store};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use uuid::Uuid;

use crate::backoff::Backoff;
use crate::run::{Run, words_of};
use crate::status::Status;
use crate::watch::Part;
use crate::worker::Worker;

/// Rows in one claim at most, as storage bounds it.
const CLAIMS: usize = 1_000;
/// Hints may be lost and clocks may be changed: nobody sleeps longer.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// What is due but cannot be had, because somebody else is just claiming it, is not asked for without a pause.
const SHORTEST_SLEEP: Duration = Duration::from_millis(20);
/// A run whose claim is gone has probably just told its outcome: it may get to its end.
const BEFORE_CUTTING_SHORT: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
pub struct Options {
    /// Pieces of work under way at once in this process.
    pub slots: usize,
    /// How long a claim holds without being extended: when a process dies, its work waits that long.
    pub lease: Duration,
    /// How long runs under way may take to end after the signal to stop.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { slots: 16, lease: Duration::from_secs(10), drain: Duration::from_secs(20) }
    }
}

pub(crate) struct Pool {
    store: Store,
    workers: HashMap<&'static str, Arc<dyn Worker>>,
    kinds: Vec<&'static str>,
    options: Options,
    status: Status,
    under_way: UnderWay,
}

/// The claims of this process, with the tasks that work under them.
#[derive(Clone, Default)]
struct UnderWay(Arc<Mutex<HashMap<Uuid, Entry>>>);

struct Entry {
    claim: Claim,
    kind: &'static str,
    task: AbortHandle,
}

impl Pool {
    pub(crate) fn new(store: Store, workers: Vec<Arc<dyn Worker>>, options: Options, status: Status) -> Self {
        let workers: HashMap<_, _> = workers.into_iter().map(|worker| (worker.kind(), worker)).collect();
        let kinds = workers.keys().copied().collect();
        Self { store, workers, kinds, options, status, under_way: UnderWay::default() }
    }

    /// Works until told to stop, then drains. After a panic it is run again.
    pub(crate) async fn run(self: Arc<Self>, stop: watch::Receiver<bool>) {
        // What was under way in a panic was cut off with it.
        self.release().await;
        let mut runs = JoinSet::new();
        tokio::select! {
            () = self.work(&mut runs, stop) => {}
            () = self.keep_claims() => {}
        }
        self.release().await;
    }

    async fn work(&self, runs: &mut JoinSet<()>, mut stop: watch::Receiver<bool>) {
        self.claim_and_run(runs, &mut stop).await;
        let ended = timeout(self.options.drain, async { while runs.join_next().await.is_some() {} });
        if ended.await.is_err() {
            tracing::warn!(count = runs.len(), "work is cut short: it did not end in time");
            runs.shutdown().await;
        }
    }

    /// Until told to stop. A claim under way is never dropped: the database would have made it, and nobody would know.
    async fn claim_and_run(&self, runs: &mut JoinSet<()>, stop: &mut watch::Receiver<bool>) {
        let mut news = self.store.work_news();
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        while !*stop.borrow_and_update() {
            while runs.try_join_next().is_some() {}
            self.status.runs(runs.len());
            // Seen before the claim: news that come during it wake the wait below.
            news.mark_unchanged();
            let (wait, hears) = match self.claim(runs, stop).await {
                Ok(wait) => {
                    backoff.reset();
                    self.status.works(Part::Pool);
                    (wait, wait.is_some())
                }
                Err(error) => {
                    let wait = backoff.next();
                    tracing::warn!(%error, ?wait, "work cannot be claimed; it is tried again");
                    // Whatever happens meanwhile: it would fail again.
                    tokio::select! {
                        () = sleep(wait) => {}
                        _ = stop.changed() => {}
                    }
                    continue;
                }
            };
            tokio::select! {
                _ = runs.join_next(), if !runs.is_empty() => {}
                _ = news.changed(), if hears => {}
                () = sleep(wait.unwrap_or(LONGEST_SLEEP)) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Fills the free slots, and says how long nothing more can be due; None while every slot is taken.
    async fn claim(
        &self,
        runs: &mut JoinSet<()>,
        stop: &watch::Receiver<bool>,
    ) -> Result<Option<Duration>, StorageError> {
        while !*stop.borrow() {
            let free = self.options.slots.saturating_sub(runs.len()).min(CLAIMS);
            if free == 0 {
                return Ok(None);
            }
            let claimed = self.store.claim_work(&self.kinds, free, self.options.lease).await?;
            let full = claimed.len() == free;
            for work in claimed {
                self.begin(work, runs);
            }
            self.status.runs(runs.len());
            if !full {
                break;
            }
        }
        let due = self.store.next_work(&self.kinds).await?.unwrap_or(LONGEST_SLEEP);
        Ok(Some(due.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)))
    }

    fn begin(&self, work: Claimed, runs: &mut JoinSet<()>) {
        let Some((&kind, worker)) = self.workers.get_key_value(work.kind.as_str()) else { return };
        let (claim, under_way, status) = (work.claim, self.under_way.clone(), self.status.clone());
        let run = Run {
            store: self.store.clone(),
            worker: worker.clone(),
            work,
            lease: self.options.lease,
            status: self.status.clone(),
        };
        // Entered before it can end.
        let mut entries = self.under_way.entries();
        let task = runs.spawn(async move {
            if let Err(panic) = AssertUnwindSafe(run.go()).catch_unwind().await {
                let why = words_of(panic.as_ref());
                tracing::error!(kind, work = %claim.work_id, why, "a fault of ours: a run panicked beyond its worker");
                status.broke(Part::Run(kind), &why);
            }
            // Also then: a claim that is extended for nobody would hold its lane for ever.
            under_way.end(claim);
        });
        // Claimed here before, and lost to a lease that ran out meanwhile.
        if let Some(late) = entries.insert(claim.work_id, Entry { claim, kind, task }) {
            late.task.abort();
        }
    }

    /// Extends the claims three times in a lease, and ends the runs that have lost theirs.
    async fn keep_claims(&self) {
        let mut ticks = interval(self.options.lease / 3);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let claims = self.under_way.claims();
            if claims.is_empty() {
                continue;
            }
            let third = self.options.lease / 3;
            match timeout(third, self.store.extend_work(&claims, self.options.lease)).await {
                Ok(Ok(held)) => {
                    let lost: Vec<Claim> = claims.into_iter().filter(|claim| !held.contains(claim)).collect();
                    if !lost.is_empty() {
                        sleep(BEFORE_CUTTING_SHORT).await;
                        self.cut_short(&lost);
                    }
                }
                // Should a lease run out meanwhile, the fence holds.
                Ok(Err(error)) => tracing::warn!(%error, "claims were not extended"),
                Err(_) => tracing::warn!("claims were not extended in time"),
            }
        }
    }

    fn cut_short(&self, lost: &[Claim]) {
        for claim in lost {
            if let Some(Entry { kind, task, .. }) = self.under_way.end(*claim) {
                tracing::info!(kind, work = %claim.work_id, attempt = claim.attempt, "a run has lost its claim");
                task.abort();
                self.status.count(kind, |outcomes| outcomes.cut_short += 1);
            }
        }
    }

    /// Gives back what did not get to its end, so that nobody has to wait for the leases.
    async fn release(&self) {
        let claims = self.under_way.claims();
        self.status.runs(0);
        if claims.is_empty() {
            return;
        }
        for claim in &claims {
            if let Some(entry) = self.under_way.end(*claim) {
                self.status.count(entry.kind, |outcomes| outcomes.cut_short += 1);
            }
        }
        if let Err(error) = self.store.release_work(&claims).await {
            tracing::warn!(%error, "work was not given back; it waits until its leases run out");
        }
    }
}

impl UnderWay {
    fn entries(&self) -> MutexGuard<'_, HashMap<Uuid, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claims(&self) -> Vec<Claim> {
        self.entries().values().map(|entry| entry.claim).collect()
    }

    /// Strikes out a claim, if it is still this one: the same work may be claimed here again.
    fn end(&self, claim: Claim) -> Option<Entry> {
        let mut entries = self.entries();
        if entries.get(&claim.work_id).is_none_or(|present| present.claim != claim) {
            return None;
        }
        entries.remove(&claim.work_id)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use storage::work::{NewWork, WorkState};
    use storage::{Config, Store};
    use testbed::Place;
    use tokio::sync::watch;
    use uuid::Uuid;

    use super::{Entry, Options, Pool};
    use crate::status::Status;

    fn work(id: u128) -> NewWork {
        NewWork {
            id: Uuid::from_u128(id),
            kind: "thank".to_owned(),
            lane: id.to_string(),
            priority: 0,
            payload: "{}".to_owned(),
            run_at_us: None,
            created_position: 1,
            n: 0,
        }
    }

    #[tokio::test]
    async fn what_was_under_way_in_a_panic_is_given_back() {
        let place = Place::sqlite();
        let store = Store::open(&Config::new(place.url())).await.unwrap();
        store.add_work(&[work(1), work(2)]).await.unwrap();
        let claimed = store.claim_work(&["thank"], 2, Duration::from_hours(1)).await.unwrap();
        let pool = Arc::new(Pool::new(store.clone(), vec![], Options::default(), Status::default()));
        // Left behind by a run of the pool that panicked.
        let (claim, task) = (claimed[0].claim, tokio::spawn(std::future::pending::<()>()).abort_handle());
        pool.under_way.entries().insert(claim.work_id, Entry { claim, kind: "thank", task });
        let (_stop, told) = watch::channel(true);
        pool.run(told).await;
        let state = async |n: usize| store.work_row(claimed[n].claim.work_id).await.unwrap().unwrap().state;
        assert_eq!(state(0).await, WorkState::Ready);
        // Control: what it does not know of waits for its lease.
        assert_eq!(state(1).await, WorkState::Claimed);
    }
}
