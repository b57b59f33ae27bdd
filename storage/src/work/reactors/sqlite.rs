//! Reactors' positions on SQLite.

use sqlx::{Connection, Row, SqliteConnection};

use super::NewWork;
use crate::StorageError;
use crate::database::Sqlite;
use crate::events::columns::{signed, unsigned};
use crate::work::sqlite::{add, settled};

const REGISTER: &str = "
INSERT INTO reactors (name, position) SELECT $1, coalesce(max(position), 0) FROM events WHERE true ON CONFLICT DO NOTHING";
const POSITION: &str = "SELECT position FROM reactors WHERE name = $1";
// Not beyond the log: its file may have been put back.
const ADVANCE: &str = "
UPDATE reactors SET position = $3
 WHERE name = $1 AND position = $2 AND $3 <= (SELECT coalesce(max(position), 0) FROM events)";
const LIST: &str = "SELECT name, position FROM reactors ORDER BY name";

impl Sqlite {
    pub(super) async fn register_reactor(&self, name: &str) -> Result<u64, StorageError> {
        sqlx::query(REGISTER).bind(name).execute(&self.writer).await?;
        let row = sqlx::query(POSITION).bind(name).fetch_one(&self.readers).await?;
        Ok(unsigned(row.try_get("position")?))
    }

    pub(super) async fn advance_reactor(
        &self,
        name: &str,
        from: u64,
        to: u64,
        work: &[NewWork],
    ) -> Result<bool, StorageError> {
        let mut connection = self.writer.acquire().await?;
        let done = advance(&mut connection, name, from, to, work).await;
        settled(connection, done)
    }

    pub(super) async fn reactors(&self) -> Result<Vec<(String, u64)>, StorageError> {
        let rows = sqlx::query(LIST).fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((row.try_get("name")?, unsigned(row.try_get("position")?)))).collect()
    }
}

async fn advance(
    connection: &mut SqliteConnection,
    name: &str,
    from: u64,
    to: u64,
    work: &[NewWork],
) -> Result<bool, StorageError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let query = sqlx::query(ADVANCE).bind(name).bind(signed(from)).bind(signed(to));
    if query.execute(&mut *transaction).await?.rows_affected() == 0 {
        return Ok(false);
    }
    if !work.is_empty() {
        add(&mut transaction, work).await?;
    }
    transaction.commit().await?;
    Ok(true)
}
