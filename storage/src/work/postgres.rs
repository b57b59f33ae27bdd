//! The work queue on PostgreSQL: each call is one of a function in `migrations/postgres/0003_expand_queue.sql`.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::{Claim, Claimed, Ended, Ending, NewWork};
use crate::StorageError;
use crate::clock::micros;
use crate::database::{Postgres, Statement};
use crate::events::columns::{narrow, signed, unsigned};

const ADD: &str = "SELECT add_work($1, $2, $3, $4, $5, $6, $7, $8)";
const CLAIM: &str = "
SELECT id, attempt, tries, lost, kind, lane, payload, priority, created_position, n, run_at, claimed_at
  FROM claim_work($1, $2, $3)";
const NEXT: &str = "SELECT next_work($1) AS microseconds";
const EXTEND: &str = "SELECT id, attempt FROM extend_work($1, $2, $3)";
const END: &str = "SELECT ended, promoted FROM end_claims($1, $2, $3, $4, $5)";

impl Postgres {
    pub(super) async fn add_work(&self, work: &[NewWork]) -> Result<(), StorageError> {
        self.execute(columns(self.query(ADD), work)).await?;
        Ok(())
    }

    pub(super) async fn claim_work(
        &self,
        kinds: &[&str],
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StorageError> {
        let query = self.query(CLAIM).bind(owned(kinds)).bind(narrow(limit)).bind(micros(lease));
        self.rows(query).await?.iter().map(claimed).collect()
    }

    pub(super) async fn next_work(&self, kinds: &[&str]) -> Result<Option<Duration>, StorageError> {
        let row = self.row(self.query(NEXT).bind(owned(kinds))).await?.ok_or(sqlx::Error::RowNotFound)?;
        let until: Option<i64> = row.try_get("microseconds")?;
        Ok(until.map(|until| Duration::from_micros(unsigned(until))))
    }

    pub(super) async fn extend_work(&self, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>, StorageError> {
        let query = self.query(EXTEND).bind(claims.iter().map(|claim| claim.work_id).collect::<Vec<_>>());
        let query = query.bind(claims.iter().map(|claim| claim.attempt).collect::<Vec<_>>()).bind(micros(lease));
        self.rows(query).await?.iter().map(claim).collect()
    }

    pub(super) async fn end_claims(&self, endings: &[Ending]) -> Result<Ended, StorageError> {
        let query = self.query(END).bind(each(endings, |e| e.claim.work_id)).bind(each(endings, |e| e.claim.attempt));
        let query = query.bind(each(endings, |e| e.state.as_str())).bind(each(endings, |e| e.error.clone()));
        let row =
            self.row(query.bind(each(endings, |e| e.after.map(micros)))).await?.ok_or(sqlx::Error::RowNotFound)?;
        let ids: Vec<Uuid> = row.try_get("ended")?;
        let promoted: i32 = row.try_get("promoted")?;
        Ok(Ended { ids: ids.into_iter().collect::<HashSet<_>>(), promoted: u64::from(promoted.unsigned_abs()) })
    }
}

/// The rows as the arguments that `add_work` and `advance_reactor` end with.
pub(super) fn columns(query: Statement, work: &[NewWork]) -> Statement {
    let query = query.bind(each(work, |new| new.id)).bind(each(work, |new| new.kind.clone()));
    let query = query.bind(each(work, |new| new.lane.clone())).bind(each(work, |new| i16::from(new.priority)));
    let query = query.bind(each(work, |new| new.payload.clone())).bind(each(work, |new| new.run_at_us));
    query.bind(each(work, |new| signed(new.created_position))).bind(each(work, |new| new.n))
}

fn each<'a, T, C>(rows: &'a [T], column: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(column).collect()
}

pub(super) fn owned(kinds: &[&str]) -> Vec<String> {
    kinds.iter().map(|kind| (*kind).to_owned()).collect()
}

fn claim(row: &PgRow) -> Result<Claim, StorageError> {
    Ok(Claim { work_id: row.try_get("id")?, attempt: row.try_get("attempt")? })
}

fn claimed(row: &PgRow) -> Result<Claimed, StorageError> {
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
