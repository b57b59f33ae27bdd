//! The log on PostgreSQL: one call of a function of ours a batch, or two, see `migrations/postgres`.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::columns::{self, EventRow, narrow, signed, unsigned};
use super::known_heads::{KnownHeads, heads_after};
use super::{Append, EventLog, Recorded, StreamId, StreamWrite, Verdict, Wanted};
use crate::StorageError;
use crate::bulk::BulkRow;
use crate::clock::micros;
use crate::database::Postgres;
use crate::epoch::Staleness;

const APPEND_AT_ONCE: &str = "SELECT first_position, timeline FROM append_at_once(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const APPEND_JUDGED: &str = "SELECT verdict, first_position, last_position, timeline FROM append_judged(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
    $25, $26, $27)";

/// What [`recorded`] reads, in its order. JSON goes out as it is: a cast would copy it once more.
macro_rules! recorded {
    ($from:literal) => {
        recorded!("e.payload ", $from)
    };
    ($payload:literal, $from:literal) => {
        concat!(
            "SELECT e.position, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version,
                    e.metadata, e.event_id, e.command_id, e.command_ord, e.salt, e.recorded_at, ",
            $payload,
            $from
        )
    };
}

mod parts;

// LATERAL with a LIMIT: whatever the planner believes of the table, this is one index descent a stream.
const LOAD: &str = recorded!(
    "FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS w(type, id, after, n)
     CROSS JOIN LATERAL (
       SELECT * FROM events WHERE aggregate_type = w.type AND aggregate_id = w.id AND sequence > w.after
        ORDER BY sequence LIMIT 9223372036854775807) e
     ORDER BY w.n, e.sequence"
);

/// PostgreSQL as a log. Tells `staleness` when the server's timeline is another than it was.
#[derive(Debug)]
pub(crate) struct PostgresLog {
    pub(crate) database: Postgres,
    pub(crate) staleness: Arc<Staleness>,
    known: KnownHeads,
}

impl PostgresLog {
    pub(crate) fn new(database: Postgres, staleness: Arc<Staleness>) -> Self {
        Self { database, staleness, known: KnownHeads::default() }
    }

    async fn append_batch(&self, batch: &[Append]) -> Result<Vec<Verdict>, StorageError> {
        let rows: Vec<EventRow> = columns::events(batch).collect();
        let salts = columns::salts(rows.len())?;
        let salts: Vec<&[u8]> = salts.chunks_exact(16).collect();
        if batch.iter().all(has_only_events)
            && let Some(first) = self.at_once(batch, &rows, &salts).await?
        {
            return Ok(columns::all_committed(batch, first));
        }
        let verdicts = self.judged(batch, &rows, &salts).await?;
        let committed = batch.iter().zip(&verdicts).filter(|(_, verdict)| matches!(verdict, Verdict::Committed(_)));
        self.known.learn(heads_after(committed.map(|(append, _)| append)));
        Ok(verdicts)
    }

    /// Where the batch begins in the log; None when somebody in it stands in the way, and all were turned back.
    async fn at_once(
        &self,
        batch: &[Append],
        rows: &[EventRow<'_>],
        salts: &[&[u8]],
    ) -> Result<Option<u64>, StorageError> {
        let timeline = self.known.timeline(self.staleness.signs());
        let known = timeline.is_some().then_some(&self.known);
        let must_look = |row: &EventRow| {
            row.follows() && !known.is_some_and(|known| known.reaches(&row.write.stream, row.write.expected))
        };
        let query = self.database.query(APPEND_AT_ONCE).bind(timeline);
        let query = query.bind(each(rows, |row| row.write.stream.aggregate_type.as_str()));
        let query = query.bind(each(rows, |row| row.write.stream.aggregate_id.as_str()));
        let query = query.bind(each(rows, |row| row.sequence)).bind(each(rows, must_look));
        let query = query.bind(each(rows, |row| row.event.event_type.as_str()));
        let query = query.bind(each(rows, |row| row.event.event_version.to_string()));
        let query = query.bind(each(rows, |row| row.event.payload.as_str()));
        let query = query.bind(each(rows, |row| row.append.metadata.as_str()));
        let query = query.bind(each(rows, |row| row.event.event_id)).bind(each(rows, |row| row.append.command_id));
        let query = query.bind(each(rows, |row| row.ord)).bind(salts);
        // What there is to learn is laid out while the call is in flight: every caller of the next batch waits for this one.
        let (answer, heads) = join(self.database.row(query), async { heads_after(batch) }).await;
        let answer = answer?.ok_or(sqlx::Error::RowNotFound)?;
        self.observe(&answer)?;
        let first = answer.try_get::<Option<i64>, _>("first_position")?.map(unsigned);
        if first.is_some() {
            self.known.learn(heads);
        }
        Ok(first)
    }

    async fn judged(
        &self,
        batch: &[Append],
        rows: &[EventRow<'_>],
        salts: &[&[u8]],
    ) -> Result<Vec<Verdict>, StorageError> {
        let streams: Vec<(i32, &StreamWrite)> = columns::expectations(batch).collect();
        let bulk: Vec<(i32, i32, &BulkRow)> = columns::bulk(batch).collect();
        let key = |append: &Append| append.idempotency.clone();
        let query = self.database.query(APPEND_JUDGED).bind(each(batch, |append| append.command_id));
        let query = query.bind(each(batch, |append| key(append).map(|key| key.principal)));
        let query = query.bind(each(batch, |append| key(append).map(|key| key.key)));
        let query = query.bind(each(batch, |append| key(append).map(|key| key.body_sha256.to_vec())));
        let query = query.bind(each(batch, |append| key(append).map(|key| micros(key.lifetime))));
        let query = query.bind(each(batch, |append| append.claim.map(|claim| claim.work_id)));
        let query = query.bind(each(batch, |append| append.claim.map(|claim| claim.attempt)));
        let query = query.bind(each(&streams, |(command, _)| *command));
        let query = query.bind(each(&streams, |(_, write)| write.stream.aggregate_type.as_str()));
        let query = query.bind(each(&streams, |(_, write)| write.stream.aggregate_id.as_str()));
        let query = query.bind(each(&streams, |(_, write)| signed(write.expected)));
        let query = query.bind(each(rows, |row| row.command));
        let query = query.bind(each(rows, |row| row.write.stream.aggregate_type.as_str()));
        let query = query.bind(each(rows, |row| row.write.stream.aggregate_id.as_str()));
        let query = query.bind(each(rows, |row| row.sequence));
        let query = query.bind(each(rows, |row| row.event.event_type.as_str()));
        let query = query.bind(each(rows, |row| row.event.event_version.to_string()));
        let query = query.bind(each(rows, |row| row.event.payload.as_str()));
        let query = query.bind(each(rows, |row| row.append.metadata.as_str()));
        let query = query.bind(each(rows, |row| row.event.event_id)).bind(each(rows, |row| row.ord)).bind(salts);
        let query = query.bind(each(&bulk, |(event, ..)| *event)).bind(each(&bulk, |(_, ord, _)| *ord));
        let query = query.bind(each(&bulk, |(.., row)| row.kind.as_str()));
        let query = query.bind(each(&bulk, |(.., row)| row.subject.as_str()));
        let query = query.bind(each(&bulk, |(.., row)| row.body.as_slice()));
        let answers = self.database.rows(query).await?;
        if answers.len() != batch.len() {
            let found = answers.len();
            return Err(StorageError::Incompatible(format!("{found} verdicts for {} commands", batch.len())));
        }
        self.observe(&answers[0])?;
        answers.iter().map(verdict).collect()
    }

    /// Takes note of the server that answered: after a failover it may be another.
    fn observe(&self, answer: &PgRow) -> Result<(), StorageError> {
        let timeline = answer.try_get("timeline")?;
        self.known.begin(timeline);
        self.staleness.observe_timeline(timeline);
        Ok(())
    }
}

/// Whether a command can go in at once: nothing about it needs more than the log's own keys.
fn has_only_events(append: &Append) -> bool {
    append.idempotency.is_none()
        && append.claim.is_none()
        && append.bulk.is_empty()
        && append.streams.iter().all(|write| !write.events.is_empty())
}

/// One column of a call.
fn each<'a, T, C>(rows: &'a [T], column: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(column).collect()
}

fn verdict(row: &PgRow) -> Result<Verdict, StorageError> {
    columns::verdict(row.try_get("verdict")?, row.try_get("first_position")?, row.try_get("last_position")?)
}

impl EventLog for PostgresLog {
    fn append<'a>(&'a self, batch: &'a [Append]) -> BoxFuture<'a, Result<Vec<Verdict>, StorageError>> {
        self.append_batch(batch).boxed()
    }

    fn load<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Result<Vec<Recorded>, StorageError>> {
        async {
            let types: Vec<&str> = wanted.iter().map(|w| w.stream.aggregate_type.as_str()).collect();
            let ids: Vec<&str> = wanted.iter().map(|w| w.stream.aggregate_id.as_str()).collect();
            let after: Vec<i64> = wanted.iter().map(|w| signed(w.after)).collect();
            let asked = self.known.source();
            let rows = self.database.rows(self.database.query(LOAD).bind(types).bind(ids).bind(after)).await?;
            let events = rows.iter().map(recorded).collect::<Result<Vec<_>, _>>()?;
            self.known.learn_loaded(&asked, &events);
            Ok(events)
        }
        .boxed()
    }
}

impl Postgres {
    pub(crate) async fn head(&self) -> Result<u64, StorageError> {
        let row = self.row(self.query("SELECT coalesce(max(position), 0) AS head FROM events")).await?;
        Ok(unsigned(row.ok_or(sqlx::Error::RowNotFound)?.try_get("head")?))
    }

    pub(crate) async fn read_after(&self, position: u64, limit: usize) -> Result<Vec<Recorded>, StorageError> {
        const READ: &str = recorded!("FROM events e WHERE e.position > $1 ORDER BY e.position LIMIT $2");
        let rows = self.rows(self.query(READ).bind(signed(position)).bind(i64::from(narrow(limit)))).await?;
        rows.iter().map(recorded).collect()
    }

    pub(crate) async fn of_command(&self, command_id: Uuid) -> Result<Vec<Recorded>, StorageError> {
        const READ: &str = recorded!("FROM events e WHERE e.command_id = $1 ORDER BY e.command_ord");
        let rows = self.rows(self.query(READ).bind(command_id)).await?;
        rows.iter().map(recorded).collect()
    }
}

/// From the columns of `recorded!` by their numbers: looking for names in every row costs more than reading it.
fn recorded(row: &PgRow) -> Result<Recorded, StorageError> {
    let version: &str = row.try_get(5)?;
    let salt: &[u8] = row.try_get(10)?;
    Ok(Recorded {
        position: unsigned(row.try_get(0)?),
        stream: StreamId { aggregate_type: row.try_get(1)?, aggregate_id: row.try_get(2)? },
        sequence: unsigned(row.try_get(3)?),
        event_type: row.try_get(4)?,
        event_version: super::version(version)?,
        payload: row.try_get_unchecked::<Option<_>, _>(12)?.unwrap_or_default(),
        metadata: row.try_get_unchecked(6)?,
        event_id: row.try_get(7)?,
        command_id: row.try_get(8)?,
        command_ord: row.try_get::<i32, _>(9)?.unsigned_abs(),
        salt: super::salt(salt)?,
        recorded_at_us: moment(row)?,
    })
}

/// PostgreSQL counts microseconds since 2000, and would take long to convert them.
fn moment(row: &PgRow) -> Result<i64, StorageError> {
    const OF_2000: i64 = 946_684_800_000_000;
    let bytes = row.try_get_raw(11)?.as_bytes().map_err(sqlx::Error::Decode)?;
    let since = bytes.try_into().map_err(|_| StorageError::Incompatible(format!("a time of {} bytes", bytes.len())))?;
    Ok(i64::from_be_bytes(since).saturating_add(OF_2000))
}
