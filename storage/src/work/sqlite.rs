//! The work queue on SQLite: rows come as JSON, and everything that changes a head is one immediate transaction.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};
use uuid::Uuid;

use super::{Claim, Claimed, Ended, Ending, NewWork};
use crate::StorageError;
use crate::clock::micros;
use crate::database::Sqlite;
use crate::events::columns::{narrow, signed, unsigned};
use crate::hex::hex;

macro_rules! now {
    () => {
        "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
    };
}
pub(super) use now;

/// Those of the kinds in `$1` that are not paused, and all priorities.
macro_rules! claimable {
    () => {
        "WITH claimable(kind) AS (
           SELECT DISTINCT k.value FROM json_each($1) k
            WHERE NOT EXISTS (SELECT 1 FROM work_pauses p WHERE p.kind IN (k.value, '*'))),
         priorities(priority) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) "
    };
}

// The first of a lane that has no head is the head; should it be there already, the lane is settled afterwards.
const ADD: &str = concat!(
    "INSERT INTO work (id, kind, lane, priority, payload, run_at, state, attempt, created_position, n)
     SELECT a.id, a.kind, a.lane, a.priority, a.payload, a.run_at,
            CASE WHEN row_number() OVER (PARTITION BY a.lane ORDER BY a.created_position, a.n, a.id) = 1
                  AND NOT EXISTS (SELECT 1 FROM work h WHERE h.lane = a.lane AND h.state = 'ready')
                 THEN 'ready' ELSE 'waiting' END,
            0, a.created_position, a.n
       FROM (SELECT unhex(w.value ->> 0) AS id, w.value ->> 1 AS kind, w.value ->> 2 AS lane, w.value ->> 3 AS priority,
                    w.value ->> 4 AS payload, coalesce(w.value ->> 5, ",
    now!(),
    ") AS run_at, w.value ->> 6 AS created_position, w.value ->> 7 AS n FROM json_each($1) w) a
      WHERE true
         ON CONFLICT (id) DO NOTHING
     RETURNING id, state"
);

// A head that nobody has claimed gives way to what stands before it. The lanes are those of the ids in `$1`.
const DEMOTE: &str = "
UPDATE work SET state = 'waiting'
 WHERE state = 'ready' AND lease_until IS NULL
   AND lane IN (SELECT w.lane FROM json_each($1) i CROSS JOIN work w ON w.id = unhex(i.value))
   AND (created_position, n, id) > (
     SELECT f.created_position, f.n, f.id FROM work f WHERE f.lane = work.lane AND f.state = 'waiting'
      ORDER BY f.created_position, f.n, f.id LIMIT 1)";

/// Gives each lane of the ids in `$1` a head, if it has none. Due at the earliest from now on: a lane that was held up
/// for long has no precedence over the others.
pub(crate) const PROMOTE: &str = concat!(
    "UPDATE work SET state = 'ready', run_at = max(run_at, ",
    now!(),
    ") WHERE id IN (
         SELECT (SELECT f.id FROM work f WHERE f.lane = l.lane AND f.state = 'waiting'
                  ORDER BY f.created_position, f.n, f.id LIMIT 1)
           FROM (SELECT DISTINCT w.lane FROM json_each($1) i CROSS JOIN work w ON w.id = unhex(i.value)) l
          WHERE NOT EXISTS (SELECT 1 FROM work h WHERE h.lane = l.lane AND h.state = 'ready'))"
);

// Heads that are due and that nobody holds, in the order of their due time, a minute earlier for each priority.
const CLAIM: &str = concat!(
    "UPDATE work SET attempt = attempt + 1, lost = CASE WHEN lease_until IS NULL THEN 0 ELSE lost + 1 END, lease_until = ",
    now!(),
    " + $3 WHERE rowid IN (",
    claimable!(),
    "SELECT c.row FROM (
       SELECT w.rowid AS row, w.run_at - w.priority * 60000000 AS rank, w.created_position, w.n, w.id
         FROM claimable k CROSS JOIN priorities p CROSS JOIN work w ON w.rowid IN (
           SELECT r.rowid FROM work r
            WHERE r.state = 'ready' AND r.kind = k.kind AND r.priority = p.priority AND r.run_at <= ",
    now!(),
    "         AND (r.lease_until IS NULL OR r.lease_until <= ",
    now!(),
    ")      ORDER BY r.run_at, r.created_position, r.n LIMIT $2)) c
      ORDER BY c.rank, c.created_position, c.n, c.id LIMIT $2)
     RETURNING id, attempt, tries, lost, kind, lane, payload, priority, created_position, n, run_at, ",
    now!(),
    " AS claimed_at"
);

// The first that is free, due or not; and the first lease to end.
const NEXT: &str = concat!(
    claimable!(),
    "SELECT max(min(at) - ",
    now!(),
    ", 0) AS microseconds FROM (
       SELECT (SELECT r.run_at FROM work r
                WHERE r.state = 'ready' AND r.kind = k.kind AND r.priority = p.priority AND r.lease_until IS NULL
                ORDER BY r.run_at LIMIT 1) AS at
         FROM claimable k CROSS JOIN priorities p
       UNION ALL
       SELECT (SELECT min(r.lease_until) FROM work r
                WHERE r.state = 'ready' AND r.kind = k.kind AND r.priority = p.priority AND r.run_at <= ",
    now!(),
    ") FROM claimable k CROSS JOIN priorities p)"
);

const EXTEND: &str = concat!(
    "UPDATE work SET lease_until = ",
    now!(),
    " + $2 FROM (SELECT unhex(c.value ->> 0) AS id, c.value ->> 1 AS attempt FROM json_each($1) c) c
      WHERE work.id = c.id AND work.attempt = c.attempt AND work.lease_until IS NOT NULL
     RETURNING work.id, work.attempt"
);

const END: &str = concat!(
    "UPDATE work
        SET state = e.state, lease_until = NULL, last_error = coalesce(e.error, last_error),
            tries = tries + (e.error IS NOT NULL),
            run_at = coalesce(",
    now!(),
    " + e.after, run_at), finished_at = CASE WHEN e.state <> 'ready' THEN ",
    now!(),
    " END FROM (SELECT unhex(e.value ->> 0) AS id, e.value ->> 1 AS attempt, e.value ->> 2 AS state,
                       e.value ->> 3 AS error, e.value ->> 4 AS after FROM json_each($1) e) e
      WHERE work.id = e.id AND work.attempt = e.attempt AND work.lease_until IS NOT NULL
     RETURNING work.id"
);

impl Sqlite {
    pub(super) async fn add_work(&self, work: &[NewWork]) -> Result<(), StorageError> {
        let mut connection = self.writer.acquire().await?;
        let done = add_alone(&mut connection, work).await;
        settled(connection, done)
    }

    pub(super) async fn claim_work(
        &self,
        kinds: &[&str],
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StorageError> {
        let query = sqlx::query(CLAIM).bind(json!(kinds).to_string()).bind(narrow(limit)).bind(micros(lease));
        query.fetch_all(&self.writer).await?.iter().map(claimed).collect()
    }

    pub(super) async fn next_work(&self, kinds: &[&str]) -> Result<Option<Duration>, StorageError> {
        let row = sqlx::query(NEXT).bind(json!(kinds).to_string()).fetch_one(&self.readers).await?;
        let until: Option<i64> = row.try_get("microseconds")?;
        Ok(until.map(|until| Duration::from_micros(unsigned(until))))
    }

    pub(super) async fn extend_work(&self, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>, StorageError> {
        let claims: Vec<Value> = claims.iter().map(|claim| json!([hex(claim.work_id), claim.attempt])).collect();
        let query = sqlx::query(EXTEND).bind(Value::Array(claims).to_string()).bind(micros(lease));
        query.fetch_all(&self.writer).await?.iter().map(claim).collect()
    }

    pub(super) async fn end_claims(&self, endings: &[Ending]) -> Result<Ended, StorageError> {
        let mut connection = self.writer.acquire().await?;
        let done = end(&mut connection, endings).await;
        settled(connection, done)
    }
}

/// The connection goes back to its pool, unless SQLite may have rolled back by itself: sqlx would never begin again.
pub(super) fn settled<T>(
    mut connection: PoolConnection<sqlx::Sqlite>,
    done: Result<T, StorageError>,
) -> Result<T, StorageError> {
    if matches!(&done, Err(error) if error.is_transient()) {
        connection.close_on_drop();
    }
    done
}

async fn add_alone(connection: &mut SqliteConnection, work: &[NewWork]) -> Result<(), StorageError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    add(&mut transaction, work).await?;
    transaction.commit().await?;
    Ok(())
}

/// Adds rows within a transaction.
pub(super) async fn add(connection: &mut SqliteConnection, work: &[NewWork]) -> Result<(), StorageError> {
    let rows: Vec<Value> = work
        .iter()
        .map(|new| {
            json!([
                hex(new.id),
                new.kind,
                new.lane,
                new.priority,
                new.payload,
                new.run_at_us,
                signed(new.created_position),
                new.n
            ])
        })
        .collect();
    let added = sqlx::query(ADD).bind(Value::Array(rows).to_string()).fetch_all(&mut *connection).await?;
    let mut behind = Vec::new();
    for row in added {
        if row.try_get::<&str, _>("state")? == "waiting" {
            behind.push(row.try_get("id")?);
        }
    }
    if !behind.is_empty() {
        settle(connection, &behind).await?;
    }
    Ok(())
}

/// Gives the lanes of this work the heads that they should have; how many rows became heads.
pub(super) async fn settle(connection: &mut SqliteConnection, work: &[Uuid]) -> Result<u64, StorageError> {
    let ids = json!(work.iter().map(|id| hex(*id)).collect::<Vec<_>>()).to_string();
    sqlx::query(DEMOTE).bind(&ids).execute(&mut *connection).await?;
    Ok(sqlx::query(PROMOTE).bind(&ids).execute(&mut *connection).await?.rows_affected())
}

async fn end(connection: &mut SqliteConnection, endings: &[Ending]) -> Result<Ended, StorageError> {
    let rows: Vec<Value> = endings
        .iter()
        .map(|e| json!([hex(e.claim.work_id), e.claim.attempt, e.state.as_str(), e.error, e.after.map(micros)]))
        .collect();
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let ended = sqlx::query(END).bind(Value::Array(rows).to_string()).fetch_all(&mut *transaction).await?;
    let ids: Vec<Uuid> = ended.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
    let promoted = settle(&mut transaction, &ids).await?;
    transaction.commit().await?;
    Ok(Ended { ids: ids.into_iter().collect::<HashSet<_>>(), promoted })
}

fn claim(row: &SqliteRow) -> Result<Claim, StorageError> {
    Ok(Claim { work_id: row.try_get("id")?, attempt: row.try_get("attempt")? })
}

fn claimed(row: &SqliteRow) -> Result<Claimed, StorageError> {
    Ok(Claimed {
        claim: claim(row)?,
        tries: row.try_get("tries")?,
        lost: row.try_get("lost")?,
        kind: row.try_get("kind")?,
        lane: row.try_get("lane")?,
        payload: row.try_get("payload")?,
        priority: super::operate::priority(row.try_get("priority")?),
        created_position: unsigned(row.try_get("created_position")?),
        n: row.try_get("n")?,
        run_at_us: row.try_get("run_at")?,
        claimed_at_us: row.try_get("claimed_at")?,
    })
}
