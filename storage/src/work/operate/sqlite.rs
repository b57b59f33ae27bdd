//! What an operator sees and does, on SQLite.

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};
use uuid::Uuid;

use super::{Pause, WorkCursor, WorkFigure, WorkFilter, WorkRow, WorkState};
use crate::StorageError;
use crate::database::Sqlite;
use crate::events::columns::{narrow, unsigned};
use crate::work::sqlite::{now, settle, settled};

macro_rules! rows {
    ($from:expr) => {
        concat!(
            "SELECT w.id, w.kind, w.lane, w.priority, w.payload,
                    CASE WHEN w.lease_until IS NULL THEN w.state ELSE 'claimed' END AS state, w.attempt, w.tries,
                    w.last_error, w.created_position,
                    w.n, w.run_at, w.lease_until, w.finished_at FROM ",
            $from
        )
    };
}

// Both orders begin behind a cursor, or behind a place before all rows: so each page is one range of an index. A state is
// part of the statement, so that the planner knows which of the partial ones to use.
macro_rules! in_order_of_events {
    ($from:expr) => {
        rows!(concat!(
            "work w WHERE ",
            $from,
            " AND ($1 IS NULL OR w.kind = $1) AND ($2 IS NULL OR w.lane = $2)
              AND (w.created_position, w.n, w.id)
                  < (coalesce($3, 9223372036854775807), coalesce($4, 2147483647), coalesce($5, zeroblob(0)))
              ORDER BY w.created_position DESC, w.n DESC, w.id DESC LIMIT $6"
        ))
    };
}

macro_rules! in_order_of_ends {
    ($state:literal) => {
        rows!(concat!(
            "work w WHERE w.state IN ('done', 'skipped') AND w.state = '",
            $state,
            "' AND ($1 IS NULL OR w.kind = $1) AND ($2 IS NULL OR w.lane = $2)
               AND ($4 IS NULL OR $4 = 0) -- a cursor of this order knows nothing of it
               AND (w.finished_at, w.id) < (coalesce($3, 9223372036854775807), coalesce($5, zeroblob(0)))
              ORDER BY w.finished_at DESC, w.id DESC LIMIT $6"
        ))
    };
}

const OPEN_OR_FAILED: &str = in_order_of_events!("w.state IN ('waiting', 'ready', 'failed')");
const WAITING: &str = in_order_of_events!("w.state IN ('waiting', 'ready', 'failed') AND w.state = 'waiting'");
const READY: &str =
    in_order_of_events!("w.state IN ('waiting', 'ready', 'failed') AND w.state = 'ready' AND w.lease_until IS NULL");
const CLAIMED: &str = in_order_of_events!(
    "w.state IN ('waiting', 'ready', 'failed') AND w.state = 'ready' AND w.lease_until IS NOT NULL"
);
const FAILED: &str = in_order_of_events!("w.state = 'failed'");
const DONE: &str = in_order_of_ends!("done");
const SKIPPED: &str = in_order_of_ends!("skipped");
const ONE: &str = rows!("work w WHERE w.id = $1");

const RETRY_FAILED: &str = concat!(
    "UPDATE work SET state = 'waiting', run_at = ",
    now!(),
    ", tries = 0, finished_at = NULL WHERE id = $1 AND state = 'failed'"
);
const RETRY_NOW: &str = concat!(
    "UPDATE work SET run_at = ",
    now!(),
    ", tries = 0 WHERE id = $1 AND state = 'ready' AND lease_until IS NULL AND attempt > 0 AND run_at > ",
    now!()
);
const SKIP: &str = concat!(
    "UPDATE work SET state = 'skipped', finished_at = ",
    now!(),
    " WHERE id = $1 AND state IN ('waiting', 'ready', 'failed') AND lease_until IS NULL"
);
const PAUSE: &str =
    "INSERT INTO work_pauses (kind, reason) VALUES ($1, $2) ON CONFLICT (kind) DO UPDATE SET reason = excluded.reason";
const RESUME: &str = "DELETE FROM work_pauses WHERE kind = $1";
const PAUSES: &str = "SELECT kind, reason, since FROM work_pauses ORDER BY since, kind";
const FIGURES: &str = "
SELECT w.kind, w.state, count(*) AS count, max(unixepoch('subsec') - min(w.run_at) / 1000000.0, 0.0) AS oldest_due
  FROM (SELECT kind, state, run_at FROM work WHERE state = 'waiting' UNION ALL
        SELECT kind, CASE WHEN lease_until IS NULL THEN state ELSE 'claimed' END, run_at FROM work
         WHERE state = 'ready' UNION ALL
        SELECT kind, state, run_at FROM work WHERE state = 'failed') w
 GROUP BY w.kind, w.state ORDER BY w.kind, w.state";

impl Sqlite {
    pub(super) async fn list_work(
        &self,
        filter: &WorkFilter,
        after: Option<WorkCursor>,
        limit: usize,
    ) -> Result<Vec<WorkRow>, StorageError> {
        let sql = match filter.state {
            None => OPEN_OR_FAILED,
            Some(WorkState::Waiting) => WAITING,
            Some(WorkState::Ready) => READY,
            Some(WorkState::Claimed) => CLAIMED,
            Some(WorkState::Failed) => FAILED,
            Some(WorkState::Done) => DONE,
            Some(WorkState::Skipped) => SKIPPED,
        };
        let query = sqlx::query(sql).bind(&filter.kind).bind(&filter.lane);
        let query = query.bind(after.map(|a| a.key)).bind(after.map(|a| a.n)).bind(after.map(|a| a.id));
        query.bind(narrow(limit)).fetch_all(&self.readers).await?.iter().map(work_row).collect()
    }

    pub(super) async fn work_row(&self, id: Uuid) -> Result<Option<WorkRow>, StorageError> {
        sqlx::query(ONE).bind(id).fetch_optional(&self.readers).await?.as_ref().map(work_row).transpose()
    }

    pub(super) async fn retry_by_hand(&self, id: Uuid) -> Result<bool, StorageError> {
        self.by_hand(RETRY_FAILED, Some(RETRY_NOW), id).await
    }

    pub(super) async fn skip_work(&self, id: Uuid) -> Result<bool, StorageError> {
        self.by_hand(SKIP, None, id).await
    }

    async fn by_hand(
        &self,
        first: &'static str,
        otherwise: Option<&'static str>,
        id: Uuid,
    ) -> Result<bool, StorageError> {
        let mut connection = self.writer.acquire().await?;
        let done = by_hand(&mut connection, first, otherwise, id).await;
        settled(connection, done)
    }

    pub(super) async fn pause_work(&self, kind: &str, reason: &str) -> Result<(), StorageError> {
        sqlx::query(PAUSE).bind(kind).bind(reason).execute(&self.writer).await?;
        Ok(())
    }

    pub(super) async fn resume_work(&self, kind: &str) -> Result<(), StorageError> {
        sqlx::query(RESUME).bind(kind).execute(&self.writer).await?;
        Ok(())
    }

    pub(super) async fn work_pauses(&self) -> Result<Vec<Pause>, StorageError> {
        let rows = sqlx::query(PAUSES).fetch_all(&self.readers).await?;
        let pause =
            |row: &SqliteRow| Ok(super::pause(row.try_get("kind")?, row.try_get("reason")?, row.try_get("since")?));
        rows.iter().map(pause).collect()
    }

    pub(super) async fn work_figures(&self) -> Result<Vec<WorkFigure>, StorageError> {
        let rows = sqlx::query(FIGURES).fetch_all(&self.readers).await?;
        let figure = |row: &SqliteRow| {
            Ok(WorkFigure {
                kind: row.try_get("kind")?,
                state: super::state(row.try_get("state")?)?,
                count: unsigned(row.try_get("count")?),
                oldest_due_seconds: row.try_get("oldest_due")?,
            })
        };
        rows.iter().map(figure).collect()
    }
}

/// Changes a row by the first of two statements that applies to it, and settles its lane.
async fn by_hand(
    connection: &mut SqliteConnection,
    first: &'static str,
    otherwise: Option<&'static str>,
    id: Uuid,
) -> Result<bool, StorageError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for sql in [Some(first), otherwise].into_iter().flatten() {
        if sqlx::query(sql).bind(id).execute(&mut *transaction).await?.rows_affected() > 0 {
            settle(&mut transaction, &[id]).await?;
            transaction.commit().await?;
            return Ok(true);
        }
    }
    Ok(false)
}

fn work_row(row: &SqliteRow) -> Result<WorkRow, StorageError> {
    Ok(WorkRow {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        lane: row.try_get("lane")?,
        priority: super::priority(row.try_get("priority")?),
        payload: row.try_get("payload")?,
        state: super::state(row.try_get("state")?)?,
        attempt: row.try_get("attempt")?,
        tries: row.try_get("tries")?,
        run_at_us: row.try_get("run_at")?,
        lease_until_us: row.try_get("lease_until")?,
        last_error: row.try_get("last_error")?,
        created_position: unsigned(row.try_get("created_position")?),
        n: row.try_get("n")?,
        finished_at_us: row.try_get("finished_at")?,
    })
}
