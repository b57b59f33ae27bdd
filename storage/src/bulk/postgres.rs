//! Reading bulk rows on PostgreSQL.

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::StoredBulk;
use crate::StorageError;
use crate::database::Postgres;
use crate::events::columns::{narrow, signed, unsigned};

const OF: &str = "SELECT position, ord, body FROM bulk WHERE position = $1 ORDER BY ord";
const ABOUT: &str = "
SELECT position, ord, body FROM bulk WHERE kind = $1 AND subject = $2 AND (position, ord) > ($3, $4)
 ORDER BY position, ord LIMIT $5";

impl Postgres {
    pub(super) async fn bulk_of(&self, position: u64) -> Result<Vec<StoredBulk>, StorageError> {
        let rows = self.rows(self.query(OF).bind(signed(position))).await?;
        rows.iter().map(stored).collect()
    }

    pub(super) async fn bulk_about(
        &self,
        kind: &str,
        subject: &str,
        (position, ord): (u64, u32),
        limit: usize,
    ) -> Result<Vec<StoredBulk>, StorageError> {
        let query = self.query(ABOUT).bind(kind).bind(subject).bind(signed(position)).bind(i64::from(ord));
        let rows = self.rows(query.bind(i64::from(narrow(limit)))).await?;
        rows.iter().map(stored).collect()
    }
}

fn stored(row: &PgRow) -> Result<StoredBulk, StorageError> {
    Ok(StoredBulk {
        position: unsigned(row.try_get("position")?),
        ord: row.try_get::<i32, _>("ord")?.unsigned_abs(),
        body: row.try_get("body")?,
    })
}
