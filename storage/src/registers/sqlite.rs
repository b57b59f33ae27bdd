//! Registers on SQLite.

use std::time::Duration;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::Register;
use crate::StorageError;
use crate::clock::micros;
use crate::database::Sqlite;
use crate::events::columns::{narrow, signed, unsigned};

const GET: &str = "
SELECT key, value, revision FROM registers
 WHERE kind = $1 AND key = $2 AND (expires_at IS NULL OR expires_at > unixepoch('subsec') * 1000000)";
const SOME: &str = "
SELECT key, value, revision FROM registers
 WHERE kind = $1 AND key IN (SELECT value FROM json_each($2))
   AND (expires_at IS NULL OR expires_at > unixepoch('subsec') * 1000000)";
const LIST: &str = "
SELECT key, value, revision FROM registers
 WHERE kind = $1 AND key > $2 AND (expires_at IS NULL OR expires_at > unixepoch('subsec') * 1000000)
 ORDER BY key LIMIT $3";
// An expired register is as good as none, and may be replaced.
const ADD: &str = "
INSERT INTO registers (kind, key, value, revision, expires_at)
VALUES ($1, $2, $3, $4 + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $5)
ON CONFLICT (kind, key) DO UPDATE
   SET value = excluded.value, revision = registers.revision + 1, expires_at = excluded.expires_at
 WHERE registers.expires_at <= unixepoch('subsec') * 1000000";
const CHANGE: &str = "
UPDATE registers SET value = $3, revision = revision + 1,
       expires_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $5
 WHERE kind = $1 AND key = $2 AND revision = $4
   AND (expires_at IS NULL OR expires_at > unixepoch('subsec') * 1000000)";
const REMOVE: &str = "DELETE FROM registers WHERE kind = $1 AND key = $2 AND revision = $3";
const SWEEP_REGISTERS: &str = "
DELETE FROM registers WHERE (kind, key) IN (
  SELECT kind, key FROM registers WHERE expires_at <= unixepoch('subsec') * 1000000 ORDER BY expires_at LIMIT $1)";
const SWEEP_REQUESTS: &str = "
DELETE FROM requests WHERE (principal, key) IN (
  SELECT principal, key FROM requests WHERE expires_at <= unixepoch('subsec') * 1000000 ORDER BY expires_at LIMIT $1)";
const SWEEP_WORK: &str = "
DELETE FROM work WHERE id IN (
  SELECT id FROM work WHERE state IN ('done', 'skipped') AND finished_at <= unixepoch('subsec', '-7 days') * 1000000
   ORDER BY finished_at, id LIMIT $1)";

impl Sqlite {
    pub(super) async fn register(&self, kind: &str, key: &str) -> Result<Option<Register>, StorageError> {
        let row = sqlx::query(GET).bind(kind).bind(key).fetch_optional(&self.readers).await?;
        row.as_ref().map(register).transpose()
    }

    pub(super) async fn registers_of(&self, kind: &str, keys: &[&str]) -> Result<Vec<Register>, StorageError> {
        let query = sqlx::query(SOME).bind(kind).bind(serde_json::json!(keys).to_string());
        query.fetch_all(&self.readers).await?.iter().map(register).collect()
    }

    pub(super) async fn registers(&self, kind: &str, after: &str, limit: usize) -> Result<Vec<Register>, StorageError> {
        let query = sqlx::query(LIST).bind(kind).bind(after).bind(i64::from(narrow(limit)));
        query.fetch_all(&self.readers).await?.iter().map(register).collect()
    }

    pub(super) async fn set_register(
        &self,
        kind: &str,
        register: &Register,
        lifetime: Option<Duration>,
    ) -> Result<bool, StorageError> {
        let sql = if register.revision == 0 { ADD } else { CHANGE };
        let query =
            sqlx::query(sql).bind(kind).bind(&register.key).bind(&register.value).bind(signed(register.revision));
        let done = query.bind(lifetime.map(micros)).execute(&self.writer).await?;
        Ok(done.rows_affected() == 1)
    }

    pub(super) async fn remove_register(&self, kind: &str, key: &str, known: u64) -> Result<bool, StorageError> {
        let done = sqlx::query(REMOVE).bind(kind).bind(key).bind(signed(known)).execute(&self.writer).await?;
        Ok(done.rows_affected() == 1)
    }

    pub(super) async fn sweep(&self, limit: usize) -> Result<u64, StorageError> {
        let mut removed = 0;
        for sql in [SWEEP_REGISTERS, SWEEP_REQUESTS, SWEEP_WORK] {
            removed += sqlx::query(sql).bind(i64::from(narrow(limit))).execute(&self.writer).await?.rows_affected();
        }
        Ok(removed)
    }
}

fn register(row: &SqliteRow) -> Result<Register, StorageError> {
    Ok(Register {
        key: row.try_get("key")?,
        value: row.try_get("value")?,
        revision: unsigned(row.try_get("revision")?),
    })
}
