//! The work queue on SQLite.

use std::time::Duration;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::{Claim, Claimed, NewWork};
use crate::StorageError;
use crate::clock::micros;
use crate::database::Sqlite;
use crate::events::columns::{signed, unsigned};

const ADD: &str = "
INSERT INTO work (id, kind, lane, priority, payload, run_at, state, attempt, created_position, n)
VALUES ($1, $2, $3, $4, $5, CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'waiting', 0, $6, $7)
ON CONFLICT (id) DO NOTHING";
// A waiting head, and a claim that still holds, keep their lane back.
const CLAIM: &str = "
UPDATE work SET state = 'claimed', attempt = attempt + 1,
       lease_until = CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $1
 WHERE id = (
  SELECT id FROM work w
   WHERE (w.state = 'claimed' AND w.lease_until <= unixepoch('subsec') * 1000000)
      OR (w.state = 'waiting' AND w.run_at <= unixepoch('subsec') * 1000000 AND NOT EXISTS (
            SELECT 1 FROM work o WHERE o.lane = w.lane AND (o.state = 'claimed'
                OR (o.state = 'waiting' AND (o.created_position, o.n) < (w.created_position, w.n)))))
   ORDER BY w.priority DESC, w.created_position, w.n LIMIT 1)
RETURNING id, attempt, kind, lane, payload, created_position";

impl Sqlite {
    pub(super) async fn add_work(&self, work: &[NewWork]) -> Result<(), StorageError> {
        for new in work {
            let query = sqlx::query(ADD).bind(new.id).bind(&new.kind).bind(&new.lane).bind(new.priority);
            let query = query.bind(&new.payload).bind(signed(new.created_position)).bind(new.n);
            query.execute(&self.writer).await?;
        }
        Ok(())
    }

    pub(super) async fn claim_work(&self, lease: Duration) -> Result<Option<Claimed>, StorageError> {
        let row = match sqlx::query(CLAIM).bind(micros(lease)).fetch_optional(&self.writer).await {
            // Another claimer was faster in this lane.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(None),
            row => row?,
        };
        row.as_ref().map(claimed).transpose()
    }
}

fn claimed(row: &SqliteRow) -> Result<Claimed, StorageError> {
    Ok(Claimed {
        claim: Claim { work_id: row.try_get::<Uuid, _>("id")?, attempt: row.try_get("attempt")? },
        kind: row.try_get("kind")?,
        lane: row.try_get("lane")?,
        payload: row.try_get("payload")?,
        created_position: unsigned(row.try_get("created_position")?),
    })
}
