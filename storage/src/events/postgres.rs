//! The log on PostgreSQL: one call of `append_events` a batch, see `migrations/postgres`.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::columns::{self, narrow, signed, unsigned};
use super::known_heads::KnownHeads;
use super::{Append, EventLog, Recorded, StreamId, Verdict, Wanted};
use crate::StorageError;
use crate::clock::micros;
use crate::database::Postgres;
use crate::epoch::Staleness;

const APPEND: &str = "SELECT command, verdict, first_position, last_position, timeline FROM append_events(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
    $25, $26, $27, $28, $29, $30)";

macro_rules! recorded {
    ($from:literal) => {
        concat!(
            "SELECT e.position, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version,
                    e.payload::text AS payload, e.metadata::text AS metadata, e.event_id, e.command_id, e.command_ord,
                    e.salt, (extract(epoch FROM e.recorded_at) * 1000000)::bigint AS recorded_at_us ",
            $from
        )
    };
}

// LATERAL with a LIMIT: whatever the planner believes of the table, this is one index descent a stream.
const LOAD: &str = recorded!(
    "FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS w(type, id, after, n)
     CROSS JOIN LATERAL (
       SELECT * FROM events WHERE aggregate_type = w.type AND aggregate_id = w.id AND sequence > w.after
        ORDER BY sequence LIMIT 9223372036854775807) e
     ORDER BY w.n, e.sequence"
);

/// The columns of one call, in the order of the function's parameters.
#[derive(Default)]
#[expect(clippy::type_complexity, reason = "one vector a parameter, in their order")]
struct Columns<'a> {
    command: (
        Vec<Uuid>,
        Vec<Option<&'a str>>,
        Vec<Option<&'a str>>,
        Vec<Option<&'a [u8]>>,
        Vec<Option<i64>>,
        Vec<Option<Uuid>>,
        Vec<Option<i32>>,
    ),
    stream: (Vec<i32>, Vec<&'a str>, Vec<&'a str>, Vec<i64>, Vec<bool>),
    event: (
        Vec<i32>,
        Vec<&'a str>,
        Vec<&'a str>,
        Vec<i64>,
        Vec<bool>,
        Vec<&'a str>,
        Vec<String>,
        Vec<&'a str>,
        Vec<&'a str>,
        Vec<Uuid>,
        Vec<i32>,
    ),
    bulk: (Vec<i32>, Vec<i32>, Vec<&'a str>, Vec<&'a str>, Vec<&'a [u8]>),
}

impl<'a> Columns<'a> {
    fn of(batch: &'a [Append], known: Option<&KnownHeads>) -> Self {
        let mut columns = Self::default();
        let c = &mut columns.command;
        for append in batch {
            let key = append.idempotency.as_ref();
            c.0.push(append.command_id);
            c.1.push(key.map(|k| k.principal.as_str()));
            c.2.push(key.map(|k| k.key.as_str()));
            c.3.push(key.map(|k| k.body_sha256.as_slice()));
            c.4.push(key.map(|k| micros(k.lifetime)));
            c.5.push(append.claim.map(|claim| claim.work_id));
            c.6.push(append.claim.map(|claim| claim.attempt));
        }
        let s = &mut columns.stream;
        for (command, write) in columns::expectations(batch) {
            s.0.push(command);
            s.1.push(&write.stream.aggregate_type);
            s.2.push(&write.stream.aggregate_id);
            s.3.push(signed(write.expected));
            s.4.push(!write.events.is_empty());
        }
        let e = &mut columns.event;
        for row in columns::events(batch) {
            e.0.push(row.command);
            e.1.push(&row.write.stream.aggregate_type);
            e.2.push(&row.write.stream.aggregate_id);
            e.3.push(row.sequence);
            let is_known = known.is_some_and(|known| known.reaches(&row.write.stream, row.write.expected));
            e.4.push(row.follows() && !is_known);
            e.5.push(&row.event.event_type);
            e.6.push(row.event.event_version.to_string());
            e.7.push(&row.event.payload);
            e.8.push(&row.append.metadata);
            e.9.push(row.event.event_id);
            e.10.push(row.ord);
        }
        let b = &mut columns.bulk;
        for (event, ord, row) in columns::bulk(batch) {
            b.0.push(event);
            b.1.push(ord);
            b.2.push(&row.kind);
            b.3.push(&row.subject);
            b.4.push(&row.body);
        }
        columns
    }
}

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
        loop {
            let rows = self.call(batch).await?;
            if let Some(row) = rows.first() {
                let timeline = row.try_get("timeline")?;
                self.known.begin(timeline);
                self.staleness.observe_timeline(timeline);
                if row.try_get::<i32, _>("command")? == -1 {
                    // What we knew was of another server's log. Again, knowing nothing.
                    continue;
                }
            }
            let verdicts = verdicts(batch, &rows)?;
            self.known.learn(batch, &verdicts);
            return Ok(verdicts);
        }
    }

    async fn call(&self, batch: &[Append]) -> Result<Vec<PgRow>, StorageError> {
        let timeline = self.known.timeline(self.staleness.signs());
        let Columns { command: c, stream: s, event: e, bulk: b } =
            Columns::of(batch, timeline.is_some().then_some(&self.known));
        let salts = columns::salts(e.0.len())?;
        let salts: Vec<&[u8]> = salts.chunks_exact(16).collect();
        let query = self.database.query(APPEND).bind(timeline);
        let query = query.bind(c.0).bind(c.1).bind(c.2).bind(c.3).bind(c.4).bind(c.5).bind(c.6);
        let query = query.bind(s.0).bind(s.1).bind(s.2).bind(s.3).bind(s.4);
        let query = query.bind(e.0).bind(e.1).bind(e.2).bind(e.3).bind(e.4).bind(e.5).bind(e.6).bind(e.7);
        let query = query.bind(e.8).bind(e.9).bind(e.10).bind(salts);
        let query = query.bind(b.0).bind(b.1).bind(b.2).bind(b.3).bind(b.4);
        Ok(self.database.rows(query).await?)
    }
}

fn verdicts(batch: &[Append], rows: &[PgRow]) -> Result<Vec<Verdict>, StorageError> {
    if let [row] = rows
        && row.try_get::<i32, _>("command")? == 0
    {
        return Ok(columns::all_committed(batch, unsigned(row.try_get("first_position")?)));
    }
    if rows.len() != batch.len() {
        let found = rows.len();
        return Err(StorageError::Incompatible(format!("{found} verdicts for {} commands", batch.len())));
    }
    rows.iter()
        .map(|row| {
            let word: &str = row.try_get("verdict")?;
            columns::verdict(word, row.try_get("first_position")?, row.try_get("last_position")?)
        })
        .collect()
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

fn recorded(row: &PgRow) -> Result<Recorded, StorageError> {
    let version: &str = row.try_get("event_version")?;
    let salt: &[u8] = row.try_get("salt")?;
    Ok(Recorded {
        position: unsigned(row.try_get("position")?),
        stream: StreamId { aggregate_type: row.try_get("aggregate_type")?, aggregate_id: row.try_get("aggregate_id")? },
        sequence: unsigned(row.try_get("sequence")?),
        event_type: row.try_get("event_type")?,
        event_version: super::version(version)?,
        payload: row.try_get("payload")?,
        metadata: row.try_get("metadata")?,
        event_id: row.try_get("event_id")?,
        command_id: row.try_get("command_id")?,
        command_ord: row.try_get::<i32, _>("command_ord")?.unsigned_abs(),
        salt: super::salt(salt)?,
        recorded_at_us: row.try_get("recorded_at_us")?,
    })
}
