//! Following the log: every position once, in order, or an alarm.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::events::Recorded;
use crate::{StorageError, Store};

/// News is a hint, and after a failover the log may be shorter than it was; so an idle reader still looks for itself.
const POLL: Duration = Duration::from_secs(1);

/// A reader of the log from some position on.
#[derive(Debug)]
pub struct Tail {
    store: Store,
    after: u64,
    news: watch::Receiver<u64>,
}

impl Tail {
    pub(crate) fn new(store: Store, after: u64, news: watch::Receiver<u64>) -> Self {
        Self { store, after, news }
    }

    /// The position of the last event handed out.
    pub fn position(&self) -> u64 {
        self.after
    }

    /// The next events, waiting until there are some. Safe to drop: nothing is skipped.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<Recorded>, StorageError> {
        loop {
            // Seen before the read: news that comes during it wakes the wait below.
            self.news.mark_unchanged();
            let events = self.ready(limit).await?;
            if !events.is_empty() {
                return Ok(events);
            }
            // Heard or not: look again. Only what is read counts.
            let _heard = timeout(POLL, self.news.changed()).await;
        }
    }

    /// The next events if there are any now.
    pub async fn ready(&mut self, limit: usize) -> Result<Vec<Recorded>, StorageError> {
        let events = self.store.read_after(self.after, limit).await?;
        if let Some(last) = events.last() {
            self.after = last.position;
        }
        Ok(events)
    }
}

/// That the events follow `after` and each other without a gap. A gap is never skipped: it means that the log is
/// damaged, or that something reads it that may not.
pub(crate) fn assert_contiguous(after: u64, events: &[Recorded]) -> Result<(), StorageError> {
    // Events first: after the last number there is, no next one may be counted.
    match events.iter().zip(after.saturating_add(1)..).find(|(event, due)| *due != event.position) {
        Some((event, expected)) => Err(StorageError::Gap { expected, found: event.position }),
        None => Ok(()),
    }
}
