//! Documents as they were: a stream is read from the log up to a position or an instant, and folded.

use jiff::Timestamp;
use storage::{Recorded, Store, StreamId, Wanted};

use crate::{Decoded, ReadError, View};

/// How far to read. Everything up to and including it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    Now,
    Position(u64),
    /// By the log's own times, which never go back.
    Instant(Timestamp),
}

impl Until {
    fn includes(self, event: &Recorded) -> bool {
        match self {
            Self::Now => true,
            Self::Position(position) => event.position <= position,
            Self::Instant(instant) => event.recorded_at_us <= instant.as_microsecond(),
        }
    }
}

/// The events of one stream up to some point.
#[derive(Debug, Clone, Default)]
pub struct History {
    events: Vec<Decoded>,
}

/// A document, and up to where it was folded.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded<V> {
    pub document: V,
    /// The aggregate's sequence.
    pub version: u64,
    /// Of the last event that it holds.
    pub position: u64,
}

/// Insert-only documents, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<V> {
    pub items: Vec<V>,
    /// What to read after, if there is more.
    pub next: Option<u64>,
}

/// Reads the stream of one aggregate.
pub async fn read(store: &Store, stream: StreamId, until: Until) -> Result<History, ReadError> {
    History::new(store.load(stream, 0).await?, until)
}

/// Reads the streams of several aggregates of one type, in the order asked for.
pub async fn read_all(
    store: &Store,
    aggregate_type: &str,
    ids: &[String],
    until: Until,
) -> Result<Vec<History>, ReadError> {
    let wanted = ids.iter().map(|id| Wanted { stream: StreamId::new(aggregate_type, id), after: 0 });
    let streams = store.load_all(wanted.collect()).await?;
    streams.into_iter().map(|events| History::new(events, until)).collect()
}

impl History {
    fn new(events: Vec<Recorded>, until: Until) -> Result<Self, ReadError> {
        let events = events.into_iter().take_while(|event| until.includes(event)).map(Decoded::new);
        Ok(Self { events: events.collect::<Result<_, _>>()? })
    }

    /// The aggregate's own document in a view; None where the stream had not begun.
    pub fn document<V: View>(&self) -> Option<Folded<V>> {
        let last = self.events.last()?;
        let mut document = V::default();
        for event in &self.events {
            if V::keys(event).iter().any(|key| key == event.aggregate_id()) {
                document.apply(event);
            }
        }
        Some(Folded { document, version: last.sequence(), position: last.position() })
    }

    /// The documents of a view that makes at most one of each event and never touches it again.
    pub fn entries<V: View>(&self) -> impl Iterator<Item = (u64, V)> {
        self.events.iter().filter(|event| !V::keys(event).is_empty()).map(|event| {
            let mut document = V::default();
            document.apply(event);
            (event.position(), document)
        })
    }
}

/// Up to `limit` of `entries`, which are in order of position, after the position `after`.
pub fn page<V>(entries: impl IntoIterator<Item = (u64, V)>, after: u64, limit: usize) -> Page<V> {
    let mut rest = entries.into_iter().filter(|(position, _)| *position > after);
    let (positions, items): (Vec<u64>, Vec<V>) = rest.by_ref().take(limit).unzip();
    let next = rest.next().and_then(|_| positions.last().copied());
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use domain::ids::ActorId;
    use domain::incident::{Event, Incident};

    use super::{History, Page, Until, page};
    use crate::ReadError;
    use crate::given::{at, stream};
    use crate::history::Entry;
    use crate::incidents::IncidentDetail;

    fn notes(count: usize) -> Vec<storage::Recorded> {
        let note = Event::NoteAdded { by: ActorId::new("ann"), text: "x".to_owned() };
        stream::<Incident>("i1", &vec![note; count])
    }

    fn version(until: Until) -> Option<(u32, u64, u64)> {
        let folded = History::new(notes(3), until).unwrap().document::<IncidentDetail>()?;
        Some((folded.document.notes, folded.version, folded.position))
    }

    #[test]
    fn a_document_is_folded_up_to_and_including_a_point() {
        assert_eq!(version(Until::Now), Some((3, 3, 13)));
        assert_eq!(version(Until::Position(12)), Some((2, 2, 12)));
        assert_eq!(version(Until::Position(10)), None);
        assert_eq!(version(Until::Position(u64::MAX)), Some((3, 3, 13)));
        assert_eq!(version(Until::Instant(at(1))), Some((2, 2, 12)));
        assert_eq!(version(Until::Instant(at(-1))), None);
    }

    #[test]
    fn pages_end_where_there_is_no_more() {
        let entries = || [(1, 'a'), (4, 'b'), (5, 'c')];
        assert_eq!(page(entries(), 0, 2), Page { items: vec!['a', 'b'], next: Some(4) });
        assert_eq!(page(entries(), 4, 2), Page { items: vec!['c'], next: None });
        assert_eq!(page(entries(), 0, 3), Page { items: vec!['a', 'b', 'c'], next: None });
        assert_eq!(page(entries(), 9, 3), Page { items: vec![], next: None });
    }

    #[test]
    fn what_cannot_be_read_says_where_it_stands() {
        let mut events = notes(2);
        events[1].event_type = "incident.exploded".to_owned();
        let error = History::new(events.clone(), Until::Now).unwrap_err();
        assert!(matches!(error, ReadError::Undecodable { position: 12, .. }), "{error}");
        // What came before is still as it was.
        assert!(History::new(events, Until::Position(11)).is_ok());
    }

    #[test]
    fn history_shows_what_is_stored_and_a_broken_metadatum_does_not_hide_it() {
        let mut events = notes(2);
        events[1].metadata = "nonsense".to_owned();
        let entries: Vec<Entry> = History::new(events, Until::Now).unwrap().entries().map(|(_, entry)| entry).collect();
        assert_eq!(entries[0].actor.as_ref().map(|actor| actor.id.as_str()), Some("ann"));
        assert_eq!(entries[0].correlation_id.as_deref(), Some("c1"));
        assert_eq!(entries[0].data["text"], "x");
        assert_eq!((entries[1].actor.as_ref(), entries[1].version, entries[1].at), (None, 2, at(1)));
    }
}
