//! Reading bulk rows on SQLite.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::StoredBulk;
use crate::StorageError;
use crate::database::Sqlite;
use crate::events::columns::{narrow, signed, unsigned};

const OF: &str = "SELECT position, ord, body FROM bulk WHERE position = $1 ORDER BY ord";
const ABOUT: &str = "
SELECT position, ord, body FROM bulk WHERE kind = $1 AND subject = $2 AND (position, ord) > ($3, $4)
 ORDER BY position, ord LIMIT $5";

impl Sqlite {
    pub(super) async fn bulk_of(&self, position: u64) -> Result<Vec<StoredBulk>, StorageError> {
        let rows = sqlx::query(OF).bind(signed(position)).fetch_all(&self.readers).await?;
        rows.iter().map(stored).collect()
    }

    pub(super) async fn bulk_about(
        &self,
        kind: &str,
        subject: &str,
        (position, ord): (u64, u32),
        limit: usize,
    ) -> Result<Vec<StoredBulk>, StorageError> {
        let query = sqlx::query(ABOUT).bind(kind).bind(subject).bind(signed(position)).bind(i64::from(ord));
        let rows = query.bind(i64::from(narrow(limit))).fetch_all(&self.readers).await?;
        rows.iter().map(stored).collect()
    }
}

fn stored(row: &SqliteRow) -> Result<StoredBulk, StorageError> {
    Ok(StoredBulk {
        position: unsigned(row.try_get("position")?),
        ord: row.try_get::<i32, _>("ord")?.unsigned_abs(),
        body: row.try_get("body")?,
    })
}
