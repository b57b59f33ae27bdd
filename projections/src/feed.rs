//! The log as everybody in a process follows it, views and reactors: each part of it is read and decoded once, whoever
//! asks first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use storage::{StorageError, Store};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::timeout;

use crate::Event;

/// Events in one part.
const EVENTS: usize = 2_000;
/// Parts kept for those who come later, and the bytes that they may hold in payloads.
const PARTS: usize = 8;
const BYTES: usize = 16 << 20;
/// News is a hint: after so long one looks for oneself.
const POLL: Duration = Duration::from_secs(1);

/// Cheap to clone; one per process.
#[derive(Debug, Clone)]
pub struct Feed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    parts: Mutex<VecDeque<Part>>,
    /// The history that they were read from.
    epoch: Mutex<Option<Arc<str>>>,
    /// Held while the end of the log is read, so that not all views read it.
    at_the_end: AsyncMutex<()>,
}

#[derive(Debug, Clone)]
struct Part {
    first: u64,
    events: Arc<[Event]>,
    bytes: usize,
}

/// Events in the order of the log.
#[derive(Debug, Clone)]
pub struct Chunk {
    events: Arc<[Event]>,
    from: usize,
}

impl Chunk {
    pub fn events(&self) -> &[Event] {
        &self.events[self.from..]
    }
}

impl Feed {
    pub fn new(store: Store) -> Self {
        let (parts, epoch) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { store, parts, epoch, at_the_end: AsyncMutex::default() }))
    }

    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Where the log ends, as far as anybody here has heard.
    pub fn heard(&self) -> u64 {
        *self.store().head_news().borrow()
    }

    /// The events after `position`, as soon as there are some.
    pub async fn after(&self, position: u64) -> Result<Chunk, StorageError> {
        let mut news = self.0.store.head_news();
        loop {
            // Before the read: news that comes during it must end the wait below.
            news.mark_unchanged();
            if let Some(chunk) = self.ready(position).await? {
                return Ok(chunk);
            }
            let _heard = timeout(POLL, news.changed()).await;
        }
    }

    /// The events after `position`, if there are any now.
    pub async fn ready(&self, position: u64) -> Result<Option<Chunk>, StorageError> {
        let epoch = self.0.store.epoch().await?;
        self.belong_to(epoch.clone());
        if let Some(chunk) = self.kept(position) {
            return Ok(Some(chunk));
        }
        // Who catches up reads by himself; those at the end would all read the same.
        let _turn = if self.is_at_the_end(position) { Some(self.0.at_the_end.lock().await) } else { None };
        if let Some(chunk) = self.kept(position) {
            return Ok(Some(chunk));
        }
        let recorded = self.0.store.read_part(position, EVENTS).await?;
        // Read from a server that is not in charge any more: whoever asks again asks the next one.
        if recorded.is_empty() || self.0.store.epoch().await? != epoch {
            return Ok(None);
        }
        let bytes = recorded.iter().map(|event| event.payload.len() + event.metadata.len()).sum();
        let events: Arc<[Event]> = recorded.into_iter().map(Event::read).collect();
        self.keep(&epoch, Part { first: position + 1, events: events.clone(), bytes });
        Ok(Some(Chunk { events, from: 0 }))
    }

    fn kept(&self, position: u64) -> Option<Chunk> {
        let parts = self.0.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = |part: &Part| usize::try_from((position + 1).checked_sub(part.first)?).ok();
        parts.iter().rev().find_map(|part| {
            let from = offset(part).filter(|from| *from < part.events.len())?;
            Some(Chunk { events: part.events.clone(), from })
        })
    }

    fn is_at_the_end(&self, position: u64) -> bool {
        let parts = self.0.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.iter().all(|part| part.first + part.events.len() as u64 <= position + 1)
    }

    fn keep(&self, epoch: &Arc<str>, part: Part) {
        let present = self.0.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have learned of another history while this was decoded.
        if present.as_ref() != Some(epoch) {
            return;
        }
        let mut parts = self.0.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.push_back(part);
        while parts.len() > 1 && (parts.len() > PARTS || parts.iter().map(|part| part.bytes).sum::<usize>() > BYTES) {
            parts.pop_front();
        }
    }

    /// Forgets everything that was read from another history than `epoch`.
    fn belong_to(&self, epoch: Arc<str>) {
        let mut present = self.0.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        if present.as_ref().is_some_and(|present| *present != epoch) {
            self.0.parts.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        *present = Some(epoch);
    }
}
