//! Sequences that are known to be in the log, because this process has read or written them there: what is in the log
//! stays, so whoever expects one of them cannot leave a gap, and PostgreSQL need not look for the predecessor again.
//! Knowledge belongs to a timeline; another server's log may lack a suffix of what this one had.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use quick_cache::sync::Cache;

use super::{Append, Recorded, StreamId, StreamWrite};

/// Streams remembered; the others are looked for.
const STREAMS: usize = 65_536;

pub(crate) struct KnownHeads {
    heads: Cache<StreamId, u64>,
    source: Mutex<Source>,
}

/// Whose log the knowledge is of.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Source {
    timeline: Option<String>,
    /// Signs of a change of servers that had been seen, see `epoch`.
    signs: u64,
}

impl Default for KnownHeads {
    fn default() -> Self {
        Self { heads: Cache::new(STREAMS), source: Mutex::default() }
    }
}

impl fmt::Debug for KnownHeads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownHeads").field("streams", &self.heads.len()).finish_non_exhaustive()
    }
}

impl KnownHeads {
    /// The timeline that the knowledge is of; None when there is none, as after any sign of another server.
    pub(super) fn timeline(&self, signs: u64) -> Option<String> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        if source.signs != signs {
            self.heads.clear();
            *source = Source { timeline: None, signs };
        }
        source.timeline.clone()
    }

    /// From now on another timeline is spoken of.
    pub(super) fn begin(&self, timeline: &str) {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        if source.timeline.as_deref() != Some(timeline) {
            self.heads.clear();
            source.timeline = Some(timeline.to_owned());
        }
    }

    /// Whether a stream is known to have come at least to `sequence`.
    pub(super) fn reaches(&self, stream: &StreamId, sequence: u64) -> bool {
        self.heads.get(stream).is_some_and(|head| head >= sequence)
    }

    /// Learns what `heads_after` said of commands that are now in the log.
    pub(super) fn learn(&self, heads: Vec<(StreamId, u64)>) {
        for (stream, head) in heads {
            self.heads.insert(stream, head);
        }
    }

    /// What is spoken of now; asked before a load, as `learn_loaded` wants to know it.
    pub(super) fn source(&self) -> Source {
        self.source.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Learns from a load that began when `asked` was spoken of: a server that is gone may have answered it.
    pub(super) fn learn_loaded(&self, asked: &Source, events: &[Recorded]) {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        if *source != *asked {
            return;
        }
        for (event, next) in events.iter().zip(events.iter().map(Some).skip(1).chain([None])) {
            if next.is_none_or(|next| next.stream != event.stream) && !self.reaches(&event.stream, event.sequence) {
                self.heads.insert(event.stream.clone(), event.sequence);
            }
        }
    }
}

/// Where the streams of `appends` stand once these are in the log.
pub(super) fn heads_after<'a>(appends: impl IntoIterator<Item = &'a Append>) -> Vec<(StreamId, u64)> {
    let writes = appends.into_iter().flat_map(|append| &append.streams).filter(|write| !write.events.is_empty());
    // An expectation that no stream can meet is laid out like any other.
    let head = |write: &StreamWrite| write.expected.saturating_add(write.events.len() as u64);
    writes.map(|write| (write.stream.clone(), head(write))).collect()
}

#[cfg(test)]
mod tests {
    use super::KnownHeads;
    use crate::events::{Recorded, StreamId};

    fn loaded(sequence: u64) -> Recorded {
        Recorded {
            position: sequence,
            stream: StreamId::new("t", "a"),
            sequence,
            event_type: String::new(),
            event_version: 1,
            payload: String::new(),
            metadata: String::new(),
            event_id: uuid::Uuid::nil(),
            command_id: uuid::Uuid::nil(),
            command_ord: 0,
            salt: [0; 16],
            recorded_at_us: 0,
        }
    }

    #[test]
    fn what_another_server_answered_is_not_learned() {
        let known = KnownHeads::default();
        known.begin("00000001");
        let asked = known.source();
        known.learn_loaded(&asked, &[loaded(1), loaded(2)]);
        assert!(known.reaches(&StreamId::new("t", "a"), 2) && !known.reaches(&StreamId::new("t", "a"), 3));
        known.begin("00000002");
        assert!(!known.reaches(&StreamId::new("t", "a"), 1));
        known.learn_loaded(&asked, &[loaded(1), loaded(2)]);
        assert!(!known.reaches(&StreamId::new("t", "a"), 1), "it was asked of the server before");
        // A sign of another server, though nobody knows yet which it is.
        let asked = known.source();
        assert_eq!(known.timeline(7), None);
        known.learn_loaded(&asked, &[loaded(1)]);
        assert!(!known.reaches(&StreamId::new("t", "a"), 1));
    }
}
