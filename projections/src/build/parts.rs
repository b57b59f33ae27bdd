//! Reading and decoding ahead of whoever folds.

use storage::{Recorded, StorageError, Store, StreamPlace};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};

use super::EVENTS;
use crate::Event;

/// Parts read ahead.
const AHEAD: usize = 2;

/// A part of the log that was read and decoded ahead.
pub(super) struct Part {
    pub(super) events: Vec<Event>,
    first: Option<String>,
    last: Option<String>,
}

impl Part {
    fn of(recorded: Vec<Recorded>) -> Self {
        let id = |event: &Recorded| event.stream.aggregate_id.clone();
        let (first, last) = (recorded.first().map(id), recorded.last().map(id));
        Self { events: recorded.into_iter().map(Event::read).collect(), first, last }
    }

    pub(super) fn first_stream(&self) -> Option<&str> {
        self.first.as_deref()
    }

    pub(super) fn last_stream(&self) -> Option<&str> {
        self.last.as_deref()
    }
}

/// Reads on one task and decodes on others, a little ahead of whoever folds.
pub(super) struct Parts {
    ready: mpsc::Receiver<Result<JoinHandle<Part>, StorageError>>,
    /// Until it has ended and was asked how.
    reader: Option<JoinHandle<()>>,
}

impl Parts {
    pub(super) fn of_streams(store: Store, aggregate_type: &'static str, until: u64) -> Self {
        let (sender, ready) = mpsc::channel(AHEAD);
        let reader = tokio::spawn(async move {
            let mut place = StreamPlace::default();
            loop {
                let read = store.read_streams(aggregate_type, &place, until, EVENTS).await;
                let part = match read {
                    Ok(events) => {
                        let Some(last) = events.last() else { return };
                        place = StreamPlace::after(last);
                        Ok(tokio::spawn(async move { Part::of(events) }))
                    }
                    Err(error) => Err(error),
                };
                let failed = part.is_err();
                if sender.send(part).await.is_err() || failed {
                    return;
                }
            }
        });
        Self { ready, reader: Some(reader) }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Part>, StorageError> {
        match self.ready.recv().await.transpose()? {
            Some(part) => part.await.map(Some).map_err(fault),
            None => self.ended().await.map(|()| None),
        }
    }

    /// A reader that panicked has not read everything, and must not look as if.
    async fn ended(&mut self) -> Result<(), StorageError> {
        match self.reader.take() {
            Some(reader) => reader.await.map_err(fault),
            None => Ok(()),
        }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            reader.abort();
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to map_err")]
fn fault(error: JoinError) -> StorageError {
    StorageError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::Parts;

    #[tokio::test]
    async fn a_reader_that_panics_is_not_at_the_end() {
        let parts = |panics: bool| {
            let (sender, ready) = mpsc::channel(1);
            let reader = tokio::spawn(async move {
                let _kept_until_the_end = sender;
                assert!(!panics, "as it was told to");
            });
            Parts { ready, reader: Some(reader) }
        };
        let failed = parts(true).next().await.err().expect("it has not read everything");
        assert!(failed.is_transient(), "{failed}");
        // Control: one that has read everything ends the same channel.
        assert!(parts(false).next().await.unwrap().is_none());
    }
}
