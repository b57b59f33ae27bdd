//! One run of a claimed piece of work, from its assignment to the closing of its row.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use storage::work::{Claimed, Closing};
use storage::{StorageError, Store};
use tokio::time::{Instant, sleep, timeout};

use crate::backoff::{Backoff, doubled};
use crate::status::Status;
use crate::worker::{Assignment, Outcome, Worker};

/// Before the second attempt; doubled before each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// Claims that may be lost in a row for each try that may fail: a process may also die of something else.
const LOSSES: i32 = 3;

pub(crate) struct Run {
    pub(crate) store: Store,
    pub(crate) worker: Arc<dyn Worker>,
    pub(crate) work: Claimed,
    /// How long the closing is tried: afterwards the claim is gone anyway.
    pub(crate) lease: Duration,
    pub(crate) status: Status,
}

impl Run {
    pub(crate) async fn go(self) {
        let outcome = self.bounded(self.outcome().await);
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
        let give_up = Instant::now() + self.lease;
        loop {
            match self.close(&outcome).await {
                Ok(Closing::Closed) => return self.count(&outcome),
                Ok(Closing::Fenced) => return self.count(&Outcome::Fenced),
                Err(error) if error.is_transient() && Instant::now() < give_up => {
                    tracing::warn!(work = %self.work.claim.work_id, %error, "closing work is tried again");
                    sleep(backoff.next()).await;
                }
                Err(error) => {
                    // Left as claimed: when the lease runs out somebody takes it up again.
                    tracing::error!(work = %self.work.claim.work_id, %error, "work cannot be closed");
                    return;
                }
            }
        }
    }

    async fn outcome(&self) -> Outcome {
        let assignment = match Assignment::new(self.work.clone()) {
            Ok(assignment) => assignment,
            Err(outcome) => return outcome,
        };
        // Begun so often and never ended: it takes the process down with it, or cannot be closed.
        let lost = self.work.lost;
        if lost >= self.worker.attempts().saturating_mul(LOSSES) {
            return Outcome::Fail { error: format!("given up: begun {lost} times, and it never came to an end") };
        }
        let time = self.worker.time();
        // The worker is called within the future, so that its panic is caught wherever it happens.
        let run = AssertUnwindSafe(async { self.worker.run(assignment).await }).catch_unwind();
        match timeout(time, run).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => {
                let error = format!("the worker panicked: {}", words_of(panic.as_ref()));
                tracing::error!(work = %self.work.claim.work_id, kind = self.worker.kind(), %error, "a fault of ours");
                Outcome::Retry { after: None, error }
            }
            Err(_) => Outcome::Retry { after: None, error: format!("it took longer than {time:?}") },
        }
    }

    /// With this one. Not the attempt of its claim: drains and lost claims are no tries.
    fn tries(&self) -> i32 {
        self.work.tries.saturating_add(1)
    }

    /// A retry that would be one too many is a failure.
    fn bounded(&self, outcome: Outcome) -> Outcome {
        let tries = self.tries();
        match outcome {
            Outcome::Retry { error, .. } if tries >= self.worker.attempts() => {
                Outcome::Fail { error: format!("given up after {tries} attempts: {error}") }
            }
            outcome => outcome,
        }
    }

    async fn close(&self, outcome: &Outcome) -> Result<Closing, StorageError> {
        let claim = self.work.claim;
        match outcome {
            Outcome::Done => self.store.finish_work(claim).await,
            // The append that told it closed it.
            Outcome::Told => Ok(Closing::Closed),
            Outcome::Fenced => Ok(Closing::Fenced),
            Outcome::Retry { after, error } => {
                let after = after.unwrap_or_else(|| wait_after(self.tries()));
                self.store.retry_work(claim, after, error).await
            }
            Outcome::Fail { error } => self.store.fail_work(claim, error).await,
        }
    }

    fn count(&self, outcome: &Outcome) {
        let (kind, work, attempt) = (self.worker.kind(), self.work.claim.work_id, self.work.claim.attempt);
        self.status.count(kind, |outcomes| match outcome {
            Outcome::Done => outcomes.done += 1,
            Outcome::Told => outcomes.told += 1,
            Outcome::Fenced => outcomes.fenced += 1,
            Outcome::Retry { .. } => outcomes.retried += 1,
            Outcome::Fail { .. } => outcomes.failed += 1,
        });
        match outcome {
            Outcome::Done | Outcome::Told => tracing::debug!(kind, %work, attempt, ?outcome, "work is done"),
            Outcome::Fenced => tracing::info!(kind, %work, attempt, "an outcome came too late and was not recorded"),
            Outcome::Retry { error, .. } => tracing::info!(kind, %work, attempt, %error, "work is tried again later"),
            Outcome::Fail { error } => tracing::error!(kind, %work, attempt, %error, "work has failed"),
        }
    }
}

fn wait_after(tries: i32) -> Duration {
    doubled(FIRST_WAIT, u32::try_from(tries).unwrap_or(1), LONGEST_WAIT)
}

/// What a panic says, as far as it says anything.
pub(crate) fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}
