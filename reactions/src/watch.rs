//! What must not end by a fault of ours: its panic is told, and it begins anew after a pause.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::backoff::Backoff;
use crate::run::words_of;
use crate::status::Status;

const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What can break by itself without the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The one of this name.
    Reactor(&'static str),
    /// What claims work and keeps the claims.
    Pool,
    /// A run of this kind of work, beyond the worker itself, whose panic is a retry.
    Run(&'static str),
}

impl Part {
    /// What it is, and which one; there is only one pool.
    pub fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Reactor(name) => ("reactor", name),
            Self::Pool => ("pool", ""),
            Self::Run(kind) => ("run", kind),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, which) = self.labels();
        f.write_str(if which.is_empty() { what.to_owned() } else { format!("{what}/{which}") }.as_str())
    }
}

/// Runs what is made until it ends by itself. After a panic it is made anew, also when it is to stop meanwhile:
/// what it does at its end must be done. Only a panic after that is its last.
pub(crate) async fn watched<F: Future<Output = ()>>(
    part: Part,
    status: Status,
    mut stop: watch::Receiver<bool>,
    mut make: impl FnMut() -> F,
) {
    let mut backoff = Backoff::new(SHORTEST_PAUSE, LONGEST_PAUSE);
    loop {
        let (begun, stopping) = (Instant::now(), *stop.borrow());
        // Begun within the future, so that a panic is caught wherever it happens.
        let ended = AssertUnwindSafe(async { make().await }).catch_unwind().await;
        let Err(panic) = ended else { return };
        if begun.elapsed() > LONGEST_PAUSE {
            backoff.reset();
        }
        let (why, pause) = (words_of(panic.as_ref()), backoff.next());
        tracing::error!(%part, why, ?pause, "a fault of ours: a part of the reactions panicked and begins anew");
        status.broke(part, &why);
        if stopping {
            return;
        }
        tokio::select! {
            () = sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::sync::watch;
    use tokio::time::timeout;

    use super::{Part, watched};
    use crate::status::Status;

    /// Panics the first so many times, then waits for the end.
    async fn part(begun: Arc<AtomicUsize>, panics: usize, mut stop: watch::Receiver<bool>) {
        let before = begun.fetch_add(1, Ordering::SeqCst);
        assert!(before >= panics, "as it was told to");
        let _stopped = stop.wait_for(|stop| *stop).await;
    }

    #[tokio::test]
    async fn what_panics_begins_anew() {
        let (status, stop) = (Status::default(), watch::Sender::new(false));
        let begun = Arc::<AtomicUsize>::default();
        let (seen, told) = (begun.clone(), stop.subscribe());
        let next = move || part(seen.clone(), 2, told.clone());
        let watching = tokio::spawn(watched(Part::Pool, status.clone(), stop.subscribe(), next));
        testbed::eventually("it lasts", || async { begun.load(Ordering::SeqCst) == 3 }).await;
        assert_eq!(status.panics().get(&Part::Pool), Some(&2));
        stop.send_replace(true);
        watching.await.unwrap();
        // Control: left alone it is gone for good, and nobody hears of it before he asks.
        let begun = Arc::<AtomicUsize>::default();
        let alone = tokio::spawn(part(begun.clone(), 2, stop.subscribe()));
        assert!(alone.await.is_err_and(|error| error.is_panic()));
        assert_eq!(begun.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn whoever_always_panics_stops_nevertheless() {
        let (status, stop) = (Status::default(), watch::Sender::new(false));
        let begun = Arc::<AtomicUsize>::default();
        let (seen, told) = (begun.clone(), stop.subscribe());
        let next = move || part(seen.clone(), usize::MAX, told.clone());
        let watching = tokio::spawn(watched(Part::Pool, status.clone(), stop.subscribe(), next));
        testbed::eventually("it is tried again", || async { begun.load(Ordering::SeqCst) >= 2 }).await;
        stop.send_replace(true);
        timeout(Duration::from_secs(10), watching).await.expect("it ends").unwrap();
        assert_eq!(usize::try_from(status.panics()[&Part::Pool]), Ok(begun.load(Ordering::SeqCst)));
    }
}
