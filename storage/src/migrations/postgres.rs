//! Migrations on PostgreSQL: all outstanding ones in one transaction, under a lock that survives a pooler.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Executor, PgTransaction, Row};

use super::{Applied, Migration, POSTGRES, outstanding};
use crate::StorageError;
use crate::database::Postgres;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version bigint PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp())";

/// With an `owner` URL the tables belong to that role, and `app`'s is granted what it needs and no more.
pub(super) async fn run(app: &Postgres, owner: Option<&str>) -> Result<(), StorageError> {
    let owner = match owner {
        Some(url) => Some(Postgres::open(url, 1, Arc::default()).await?),
        None => None,
    };
    let mut transaction = owner.as_ref().unwrap_or(app).pool.begin().await?;
    // Bound to the transaction, not to the session: a pooler may hand every transaction another session.
    transaction.execute("SELECT pg_advisory_xact_lock(5044039871230)").await?;
    let applied = applied(&mut transaction).await?;
    for migration in outstanding(POSTGRES, &applied)? {
        apply(&mut transaction, migration).await?;
    }
    if owner.is_some() {
        let role =
            app.row(app.query("SELECT quote_ident(current_user) AS role")).await?.ok_or(sqlx::Error::RowNotFound)?;
        grant(&mut transaction, role.try_get("role")?).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn applied(transaction: &mut PgTransaction<'_>) -> Result<Vec<Applied>, StorageError> {
    // Asked first: creating, even IF NOT EXISTS, needs a right that a role without migrations to run need not have.
    let exists = sqlx::query("SELECT to_regclass('schema_migrations') IS NOT NULL AS exists")
        .persistent(false)
        .fetch_one(&mut **transaction)
        .await?;
    if !exists.try_get::<bool, _>("exists")? {
        transaction.execute(TABLE).await?;
    }
    let rows = sqlx::query("SELECT version, name, sha256 FROM schema_migrations ORDER BY version")
        .persistent(false)
        .fetch_all(&mut **transaction)
        .await?;
    let applied =
        rows.iter().map(|row| Ok(Applied { version: row.try_get(0)?, name: row.try_get(1)?, sha256: row.try_get(2)? }));
    applied.collect()
}

async fn apply(transaction: &mut PgTransaction<'_>, migration: &Migration) -> Result<(), StorageError> {
    transaction.execute(sqlx::raw_sql(migration.sql)).await?;
    sqlx::query("INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)")
        .persistent(false)
        .bind(migration.version)
        .bind(migration.name)
        .bind(migration.sha256())
        .execute(&mut **transaction)
        .await?;
    tracing::info!(migration = migration.name, "applied");
    Ok(())
}

/// What the application's role may do: add to the log, never change it; and make tables for views.
async fn grant(transaction: &mut PgTransaction<'_>, role: &str) -> Result<(), StorageError> {
    let grants = format!(
        "GRANT SELECT, INSERT ON events, bulk, log_epochs TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON requests, work, reactors, work_pauses, registers TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON views, view_builds, view_counts, view_skips TO {role};
         GRANT USAGE, CREATE ON SCHEMA pagefree_views TO {role};
         GRANT SELECT ON schema_migrations TO {role};"
    );
    // The role's name was quoted by the server itself.
    transaction.execute(sqlx::raw_sql(AssertSqlSafe(grants))).await?;
    Ok(())
}
