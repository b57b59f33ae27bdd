//! The log: what is appended to it, what comes back, and what each database must be able to do.

pub(crate) mod columns;
mod known_heads;
pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::time::Duration;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::StorageError;
use crate::bulk::BulkRow;
use crate::work::Claim;

/// One aggregate's stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    pub aggregate_type: String,
    pub aggregate_id: String,
}

impl StreamId {
    pub fn new(aggregate_type: impl Into<String>, aggregate_id: impl Into<String>) -> Self {
        Self { aggregate_type: aggregate_type.into(), aggregate_id: aggregate_id.into() }
    }

    /// PostgreSQL's text holds no NUL, so on SQLite it may not either.
    pub(crate) fn can_be(&self) -> bool {
        !self.aggregate_type.contains('\0') && !self.aggregate_id.contains('\0')
    }
}

/// An event on its way into the log. `payload` is JSON text and is stored byte for byte.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    pub event_id: Uuid,
    pub event_type: String,
    pub event_version: u32,
    pub payload: String,
}

/// What a command does to one stream, and the head that it expects there (0: the stream does not exist).
/// Without events it is a guard: the stream must not have moved.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamWrite {
    pub stream: StreamId,
    pub expected: u64,
    pub events: Vec<NewEvent>,
}

/// Under which key of whom a request was made. The same key with the same body is the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    pub principal: String,
    pub key: String,
    pub body_sha256: [u8; 32],
    pub lifetime: Duration,
}

/// One command's events, all or nothing, over any number of streams. Must hold at least one event, and each stream
/// at most once.
#[derive(Debug, Clone, PartialEq)]
pub struct Append {
    /// Sending the same id again is the same command: it is recorded once.
    pub command_id: Uuid,
    pub streams: Vec<StreamWrite>,
    /// A flat JSON map of strings, the same for every event of the command.
    pub metadata: String,
    pub idempotency: Option<Idempotency>,
    /// The claim under which this outcome is told. It is checked, and the work closed, with the append.
    pub claim: Option<Claim>,
    /// Rows whose count and digest one of the events holds.
    pub bulk: Vec<BulkRow>,
}

impl Append {
    pub fn new(command_id: Uuid, streams: Vec<StreamWrite>) -> Self {
        Self { command_id, streams, metadata: "{}".to_owned(), idempotency: None, claim: None, bulk: Vec::new() }
    }

    pub fn event_count(&self) -> usize {
        self.streams.iter().map(|s| s.events.len()).sum()
    }

    /// Roughly what it weighs on the wire.
    pub(crate) fn weight(&self) -> usize {
        let events = self.streams.iter().flat_map(|s| &s.events);
        events.map(|e| 200 + e.payload.len() + self.metadata.len()).sum::<usize>()
            + self.bulk.iter().map(|b| 50 + b.body.len()).sum::<usize>()
    }
}

/// Where a command stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    pub first: u64,
    pub last: u64,
}

/// The log's answer to one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Committed(Receipt),
    /// This command id, or this idempotency key with this body, was recorded before: there.
    Duplicate(Receipt),
    /// A stream is not where the command expected it.
    Conflict,
    /// The idempotency key was used for another body.
    KeyReused,
    /// The work is not, or no longer, claimed under this attempt.
    Fenced,
}

/// An event as the log holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub position: u64,
    pub stream: StreamId,
    pub sequence: u64,
    pub event_type: String,
    pub event_version: u32,
    pub payload: String,
    pub metadata: String,
    pub event_id: Uuid,
    pub command_id: Uuid,
    pub command_ord: u32,
    pub salt: [u8; 16],
    /// Microseconds since 1970, UTC; never less than the previous event's.
    pub recorded_at_us: i64,
}

/// Which part of a stream is wanted: everything after `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub stream: StreamId,
    pub after: u64,
}

/// Where a part of the log ends that is read with a bound, beyond its first event.
const PART_BYTES: i64 = 8 << 20;

/// A place between the events of one aggregate type, in order of streams.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamPlace {
    pub aggregate_id: String,
    pub sequence: u64,
}

impl StreamPlace {
    /// Behind an event.
    pub fn after(event: &Recorded) -> Self {
        Self { aggregate_id: event.stream.aggregate_id.clone(), sequence: event.sequence }
    }
}

/// What a database does for the log. Two implement it; a simulation may be a third.
pub trait EventLog: Send + Sync + 'static {
    /// Appends a batch in which no two commands share a stream, a command id, an idempotency key or a claim, and
    /// answers each in its order. An error means that nothing of the batch was committed by this call, or that
    /// the connection was lost and nobody knows.
    fn append<'a>(&'a self, batch: &'a [Append]) -> BoxFuture<'a, Result<Vec<Verdict>, StorageError>>;

    /// The wanted events, of each stream in order.
    fn load<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Result<Vec<Recorded>, StorageError>>;
}

fn version(text: &str) -> Result<u32, StorageError> {
    text.parse().map_err(|_| StorageError::Incompatible(format!("'{text}' is not an event version")))
}

fn salt(bytes: &[u8]) -> Result<[u8; 16], StorageError> {
    bytes.try_into().map_err(|_| StorageError::Incompatible(format!("a salt of {} bytes", bytes.len())))
}
