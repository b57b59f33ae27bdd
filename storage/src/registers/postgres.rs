//! Registers on PostgreSQL.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::Register;
use crate::StorageError;
use crate::clock::micros;
use crate::database::Postgres;
use crate::events::columns::{narrow, signed, unsigned};

const GET: &str = "
SELECT key, value::text AS value, revision FROM registers
 WHERE kind = $1 AND key = $2 AND (expires_at IS NULL OR expires_at > clock_timestamp())";
const SOME: &str = "
SELECT key, value::text AS value, revision FROM registers
 WHERE kind = $1 AND key = ANY($2) AND (expires_at IS NULL OR expires_at > clock_timestamp())";
const LIST: &str = "
SELECT key, value::text AS value, revision FROM registers
 WHERE kind = $1 AND key > $2 AND (expires_at IS NULL OR expires_at > clock_timestamp()) ORDER BY key LIMIT $3";
// An expired register is as good as none, and may be replaced.
const ADD: &str = "
INSERT INTO registers AS r (kind, key, value, revision, expires_at)
VALUES ($1, $2, $3::json, $4 + 1, clock_timestamp() + $5 * interval '1 microsecond')
ON CONFLICT (kind, key) DO UPDATE
   SET value = excluded.value, revision = r.revision + 1, expires_at = excluded.expires_at
 WHERE r.expires_at <= clock_timestamp()";
const CHANGE: &str = "
UPDATE registers SET value = $3::json, revision = revision + 1,
       expires_at = clock_timestamp() + $5 * interval '1 microsecond'
 WHERE kind = $1 AND key = $2 AND revision = $4 AND (expires_at IS NULL OR expires_at > clock_timestamp())";
const REMOVE: &str = "DELETE FROM registers WHERE kind = $1 AND key = $2 AND revision = $3";
const SWEEP_REGISTERS: &str = "
DELETE FROM registers WHERE (kind, key) IN (
  SELECT kind, key FROM registers WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT $1)";
const SWEEP_REQUESTS: &str = "
DELETE FROM requests WHERE (principal, key) IN (
  SELECT principal, key FROM requests WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT $1)";
const SWEEP_WORK: &str = "
DELETE FROM work WHERE id IN (
  SELECT id FROM work WHERE state IN ('done', 'skipped') AND finished_at <= now() - interval '7 days'
   ORDER BY finished_at, id LIMIT $1)";

impl Postgres {
    pub(super) async fn register(&self, kind: &str, key: &str) -> Result<Option<Register>, StorageError> {
        let row = self.row(self.query(GET).bind(kind).bind(key)).await?;
        row.as_ref().map(register).transpose()
    }

    pub(super) async fn registers_of(&self, kind: &str, keys: &[&str]) -> Result<Vec<Register>, StorageError> {
        let query = self.query(SOME).bind(kind).bind(keys);
        self.rows(query).await?.iter().map(register).collect()
    }

    pub(super) async fn registers(&self, kind: &str, after: &str, limit: usize) -> Result<Vec<Register>, StorageError> {
        let query = self.query(LIST).bind(kind).bind(after).bind(i64::from(narrow(limit)));
        self.rows(query).await?.iter().map(register).collect()
    }

    pub(super) async fn set_register(
        &self,
        kind: &str,
        register: &Register,
        lifetime: Option<Duration>,
    ) -> Result<bool, StorageError> {
        let sql = if register.revision == 0 { ADD } else { CHANGE };
        let query =
            self.query(sql).bind(kind).bind(&register.key).bind(&register.value).bind(signed(register.revision));
        Ok(self.execute(query.bind(lifetime.map(micros))).await? == 1)
    }

    pub(super) async fn remove_register(&self, kind: &str, key: &str, known: u64) -> Result<bool, StorageError> {
        Ok(self.execute(self.query(REMOVE).bind(kind).bind(key).bind(signed(known))).await? == 1)
    }

    pub(super) async fn sweep(&self, limit: usize) -> Result<u64, StorageError> {
        let mut removed = 0;
        for sql in [SWEEP_REGISTERS, SWEEP_REQUESTS, SWEEP_WORK] {
            removed += self.execute(self.query(sql).bind(i64::from(narrow(limit)))).await?;
        }
        Ok(removed)
    }
}

fn register(row: &PgRow) -> Result<Register, StorageError> {
    Ok(Register {
        key: row.try_get("key")?,
        value: row.try_get("value")?,
        revision: unsigned(row.try_get("revision")?),
    })
}
