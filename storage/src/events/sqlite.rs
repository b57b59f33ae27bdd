//! The log on SQLite: a batch goes in as JSON, judged and inserted by set-based statements in one immediate transaction.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};
use uuid::Uuid;

use super::columns::{self, narrow, signed, unsigned};
use super::{Append, EventLog, PART_BYTES, Receipt, Recorded, StreamId, StreamPlace, Verdict, Wanted};
use crate::StorageError;
use crate::clock::micros;
use crate::database::Sqlite;
use crate::hex::{hex, hex_of};
use crate::work::PROMOTE;

/// The verdict on every command of a batch, and where the log stands. `$1` is an array of
/// `[id, principal, key, body, work, attempt, [[type, id, expected], …]]`.
const JUDGE: &str = "
WITH log(head, at) AS (
  SELECT coalesce(max(position), 0),
         max(CAST(unixepoch('subsec') * 1000000 AS INTEGER),
             coalesce((SELECT recorded_at FROM events ORDER BY position DESC LIMIT 1), 0))
    FROM events),
commands AS (
  SELECT c.key AS n, unhex(c.value ->> 0) AS id, c.value ->> 1 AS principal, c.value ->> 2 AS key,
         unhex(c.value ->> 3) AS body, unhex(c.value ->> 4) AS work, c.value ->> 5 AS attempt, c.value -> 6 AS streams
    FROM json_each($1) c),
judged AS (
  SELECT c.n, r.command_id AS answered_by, c.id, CASE
      WHEN EXISTS (SELECT 1 FROM events e WHERE e.command_id = c.id) THEN 'duplicate'
      WHEN r.key IS NOT NULL THEN CASE WHEN r.body_sha256 = c.body THEN 'duplicate' ELSE 'key_reused' END
      WHEN c.work IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM work w WHERE w.id = c.work AND w.attempt = c.attempt AND w.lease_until IS NOT NULL) THEN 'fenced'
      WHEN EXISTS (
        SELECT 1 FROM json_each(c.streams) s
         WHERE s.value ->> 2 <> coalesce((SELECT max(e.sequence) FROM events e
                WHERE e.aggregate_type = s.value ->> 0 AND e.aggregate_id = s.value ->> 1), 0)) THEN 'conflict'
      ELSE 'committed' END AS verdict
    FROM commands c
    LEFT JOIN requests r ON r.principal = c.principal AND r.key = c.key AND r.expires_at > (SELECT at FROM log))
SELECT j.verdict, log.head, log.at,
       CASE j.verdict WHEN 'duplicate' THEN (SELECT min(position) FROM events e WHERE e.command_id = known.id) END AS first,
       CASE j.verdict WHEN 'duplicate' THEN (SELECT max(position) FROM events e WHERE e.command_id = known.id) END AS last
  FROM log, judged j,
       (SELECT n, CASE WHEN EXISTS (SELECT 1 FROM events e WHERE e.command_id = judged.id) THEN judged.id
                       ELSE judged.answered_by END AS id FROM judged) known
 WHERE known.n = j.n
 ORDER BY j.n";

const INSERT_EVENTS: &str = "
INSERT INTO events
SELECT e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3, e.value ->> 4, e.value ->> 5, e.value ->> 6,
       e.value ->> 7, unhex(e.value ->> 8), unhex(e.value ->> 9), e.value ->> 10, unhex(e.value ->> 11), $2
  FROM json_each($1) e";

const INSERT_REQUESTS: &str = "
INSERT OR REPLACE INTO requests -- only an expired one can stand here
SELECT r.value ->> 0, r.value ->> 1, unhex(r.value ->> 2), unhex(r.value ->> 3), r.value ->> 4, r.value ->> 5
  FROM json_each($1) r";

const CLOSE_WORK: &str = "
UPDATE work SET state = 'done', lease_until = NULL, finished_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER)
 WHERE id IN (SELECT unhex(value) FROM json_each($1))";

const INSERT_BULK: &str = "
INSERT INTO bulk
SELECT b.value ->> 0, b.value ->> 1, b.value ->> 2, b.value ->> 3, unhex(b.value ->> 4) FROM json_each($1) b";

macro_rules! recorded {
    ($from:literal) => {
        concat!(
            "SELECT e.position, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload,
                    e.metadata, e.event_id, e.command_id, e.command_ord, e.salt, e.recorded_at ",
            $from
        )
    };
}

const LOAD: &str = recorded!(
    "FROM json_each($1) w CROSS JOIN events e ON e.aggregate_type = w.value ->> 0 AND e.aggregate_id = w.value ->> 1
      AND e.sequence > w.value ->> 2
     ORDER BY w.key, e.sequence"
);

impl EventLog for Sqlite {
    fn append<'a>(&'a self, batch: &'a [Append]) -> BoxFuture<'a, Result<Vec<Verdict>, StorageError>> {
        async move {
            let mut connection = self.writer.acquire().await?;
            let done = append(&mut connection, batch).await;
            if matches!(&done, Err(error) if error.is_transient()) {
                // SQLite may have rolled back by itself, which sqlx does not notice: it would never begin again.
                connection.close_on_drop();
            }
            done
        }
        .boxed()
    }

    fn load<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Result<Vec<Recorded>, StorageError>> {
        async {
            let wanted: Vec<Value> =
                wanted.iter().map(|w| json!([w.stream.aggregate_type, w.stream.aggregate_id, w.after])).collect();
            let rows = sqlx::query(LOAD).bind(Value::Array(wanted).to_string()).fetch_all(&self.readers).await?;
            rows.iter().map(recorded).collect()
        }
        .boxed()
    }
}

async fn append(connection: &mut SqliteConnection, batch: &[Append]) -> Result<Vec<Verdict>, StorageError> {
    // Dropped before COMMIT, the transaction rolls back.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let Judgement { head, at, mut verdicts } = judge(&mut transaction, batch).await?;
    let written = Written::of(batch, &mut verdicts, head, at)?;
    written.store(&mut transaction, at).await?;
    transaction.commit().await?;
    Ok(verdicts)
}

struct Judgement {
    head: u64,
    at: i64,
    /// Those committed stand with a receipt that is still to be filled in.
    verdicts: Vec<Verdict>,
}

async fn judge(connection: &mut SqliteConnection, batch: &[Append]) -> Result<Judgement, StorageError> {
    let commands: Vec<Value> = batch
        .iter()
        .map(|append| {
            let key = append.idempotency.as_ref();
            let streams: Vec<Value> = append
                .streams
                .iter()
                .map(|s| json!([s.stream.aggregate_type, s.stream.aggregate_id, s.expected]))
                .collect();
            json!([
                hex(append.command_id),
                key.map(|k| &k.principal),
                key.map(|k| &k.key),
                key.map(|k| hex_of(&k.body_sha256)),
                append.claim.map(|c| hex(c.work_id)),
                append.claim.map(|c| c.attempt),
                streams
            ])
        })
        .collect();
    let rows = sqlx::query(JUDGE).bind(Value::Array(commands).to_string()).fetch_all(connection).await?;
    let (Some(row), true) = (rows.first(), rows.len() == batch.len()) else {
        return Err(StorageError::Incompatible(format!("{} verdicts for {} commands", rows.len(), batch.len())));
    };
    let (head, at) = (unsigned(row.try_get("head")?), row.try_get("at")?);
    let verdicts = rows.iter().map(|row| match row.try_get("verdict")? {
        "committed" => Ok(Verdict::Committed(Receipt { first: 0, last: 0 })),
        word => columns::verdict(word, row.try_get("first")?, row.try_get("last")?),
    });
    Ok(Judgement { head, at, verdicts: verdicts.collect::<Result<_, StorageError>>()? })
}

/// The rows of the commands that were judged good, each kind as one JSON array.
#[derive(Default)]
struct Written {
    events: Vec<Value>,
    requests: Vec<Value>,
    work: Vec<Value>,
    bulk: Vec<Value>,
}

impl Written {
    fn of(batch: &[Append], verdicts: &mut [Verdict], head: u64, at: i64) -> Result<Self, StorageError> {
        let mut written = Self::default();
        let mut next = head;
        for (append, verdict) in batch.iter().zip(verdicts) {
            if let Verdict::Committed(receipt) = verdict {
                *receipt = Receipt { first: next + 1, last: next + append.event_count() as u64 };
                next = receipt.last;
                written.add(append, *receipt, at)?;
            }
        }
        Ok(written)
    }

    fn add(&mut self, append: &Append, receipt: Receipt, at: i64) -> Result<(), StorageError> {
        let command = std::slice::from_ref(append);
        let salts = columns::salts(append.event_count())?;
        for ((row, position), salt) in columns::events(command).zip(receipt.first..).zip(salts.chunks_exact(16)) {
            let (stream, event) = (&row.write.stream, row.event);
            self.events.push(json!([
                position,
                stream.aggregate_type,
                stream.aggregate_id,
                row.sequence,
                event.event_type,
                event.event_version.to_string(),
                event.payload,
                append.metadata,
                hex(event.event_id),
                hex(append.command_id),
                row.ord,
                hex_of(salt)
            ]));
        }
        if let Some(key) = &append.idempotency {
            let expires_at = at.saturating_add(micros(key.lifetime));
            let (body, id) = (hex_of(&key.body_sha256), hex(append.command_id));
            self.requests.push(json!([key.principal, key.key, body, id, receipt.last, expires_at]));
        }
        self.work.extend(append.claim.map(|claim| Value::String(hex(claim.work_id))));
        for (event, ord, row) in columns::bulk(command) {
            let position = receipt.first + u64::from(event.unsigned_abs()) - 1;
            self.bulk.push(json!([position, ord, row.kind, row.subject, hex_of(&row.body)]));
        }
        Ok(())
    }

    async fn store(self, connection: &mut SqliteConnection, at: i64) -> Result<(), StorageError> {
        if !self.events.is_empty() {
            let events = Value::Array(self.events).to_string();
            sqlx::query(INSERT_EVENTS).bind(events).bind(at).execute(&mut *connection).await?;
        }
        let kinds = [
            (INSERT_REQUESTS, self.requests),
            (CLOSE_WORK, self.work.clone()),
            (PROMOTE, self.work),
            (INSERT_BULK, self.bulk),
        ];
        for (sql, rows) in kinds {
            if !rows.is_empty() {
                sqlx::query(sql).bind(Value::Array(rows).to_string()).execute(&mut *connection).await?;
            }
        }
        Ok(())
    }
}

impl Sqlite {
    pub(crate) async fn head(&self) -> Result<u64, StorageError> {
        let row = sqlx::query("SELECT coalesce(max(position), 0) AS head FROM events").fetch_one(&self.readers).await?;
        Ok(unsigned(row.try_get("head")?))
    }

    pub(crate) async fn read_after(&self, position: u64, limit: usize) -> Result<Vec<Recorded>, StorageError> {
        const READ: &str = recorded!("FROM events e WHERE e.position > $1 ORDER BY e.position LIMIT $2");
        let rows = sqlx::query(READ).bind(signed(position)).bind(narrow(limit)).fetch_all(&self.readers).await?;
        rows.iter().map(recorded).collect()
    }

    pub(crate) async fn read_part(&self, position: u64, limit: usize) -> Result<Vec<Recorded>, StorageError> {
        const READ: &str = recorded!(
            "FROM (SELECT w.*, sum(length(w.payload)) OVER (ORDER BY w.position ROWS UNBOUNDED PRECEDING) - length(w.payload) AS before
             FROM (SELECT * FROM events WHERE position > $1 ORDER BY position LIMIT $2) w) e
              WHERE e.before < $3 ORDER BY e.position"
        );
        let query = sqlx::query(READ).bind(signed(position)).bind(narrow(limit)).bind(PART_BYTES);
        query.fetch_all(&self.readers).await?.iter().map(recorded).collect()
    }

    pub(crate) async fn read_streams(
        &self,
        aggregate_type: &str,
        after: &StreamPlace,
        up_to: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StorageError> {
        const READ: &str = recorded!(
            "FROM (SELECT w.*, sum(length(w.payload)) OVER (ORDER BY w.aggregate_id, w.sequence ROWS UNBOUNDED PRECEDING) - length(w.payload) AS before
             FROM (SELECT * FROM events WHERE aggregate_type = $1 AND (aggregate_id, sequence) > ($2, $3)
                      AND position <= $4 ORDER BY aggregate_id, sequence LIMIT $5) w) e
              WHERE e.before < $6 ORDER BY e.aggregate_id, e.sequence"
        );
        let query = sqlx::query(READ).bind(aggregate_type).bind(&after.aggregate_id).bind(signed(after.sequence));
        let query = query.bind(signed(up_to)).bind(narrow(limit)).bind(PART_BYTES);
        let rows = query.fetch_all(&self.readers).await?;
        rows.iter().map(recorded).collect()
    }

    pub(crate) async fn of_command(&self, command_id: Uuid) -> Result<Vec<Recorded>, StorageError> {
        const READ: &str = recorded!("FROM events e WHERE e.command_id = $1 ORDER BY e.command_ord");
        let rows = sqlx::query(READ).bind(command_id).fetch_all(&self.readers).await?;
        rows.iter().map(recorded).collect()
    }
}

fn recorded(row: &SqliteRow) -> Result<Recorded, StorageError> {
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
        recorded_at_us: row.try_get("recorded_at")?,
    })
}
