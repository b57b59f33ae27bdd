//! Migrations on SQLite: all outstanding ones in one immediate transaction.

use sqlx::sqlite::SqlitePool;
use sqlx::{Executor, Row};

use super::{Applied, Migration, outstanding};
use crate::StorageError;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL,
    applied_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))) STRICT";

pub(super) async fn run(writer: &SqlitePool, known: &[Migration]) -> Result<(), StorageError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    transaction.execute(TABLE).await?;
    let rows = sqlx::query("SELECT version, name, sha256 FROM schema_migrations ORDER BY version")
        .fetch_all(&mut *transaction)
        .await?;
    let applied = rows
        .iter()
        .map(|row| Ok(Applied { version: row.try_get(0)?, name: row.try_get(1)?, sha256: row.try_get(2)? }))
        .collect::<Result<Vec<_>, StorageError>>()?;
    for migration in outstanding(known, &applied)? {
        transaction.execute(sqlx::raw_sql(migration.sql)).await?;
        sqlx::query("INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)")
            .bind(migration.version)
            .bind(migration.name)
            .bind(migration.sha256())
            .execute(&mut *transaction)
            .await?;
        tracing::info!(migration = migration.name, "applied");
    }
    transaction.commit().await?;
    Ok(())
}
