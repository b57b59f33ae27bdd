//! Whether the server keeps what it acknowledges. Its settings are not ours to change, but they are ours to report.

use sqlx::Row;

use crate::database::Database;
use crate::{StorageError, Store};

const UNSAFE: &str = "
SELECT name || ' = ' || setting AS setting FROM pg_settings
 WHERE name IN ('synchronous_commit', 'fsync', 'full_page_writes') AND setting = 'off' ORDER BY name";

impl Store {
    /// Settings of the database server under which an acknowledged command may be lost in a crash.
    pub async fn unsafe_settings(&self) -> Result<Vec<String>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => {
                let rows = postgres.rows(postgres.query(UNSAFE)).await?;
                rows.iter().map(|row| Ok(row.try_get("setting")?)).collect()
            }
            // Ours alone: every connection is opened with what it takes.
            Database::Sqlite(_) => Ok(Vec::new()),
        }
    }
}
