//! cqrs-es's own framework over postgres-es and sqlite-es, on the same aggregate.

use std::collections::HashMap;

use cqrs_es::persist::PersistedEventStore;
use cqrs_es::{AggregateError, CqrsFramework};
use domain::cqrs::Adapted;
use domain::incident::Incident;
use peer_sqlx::postgres::{PgPool, PgPoolOptions};
use peer_sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use peer_sqlx::{Executor, Row};
use postgres_es::{PostgresCqrs, PostgresEventRepository, postgres_cqrs};
use sqlite_es::{SqliteEventRepository, sqlite_cqrs};

use crate::load::{Side, command};

/// The peer's table, as its own `db/init.sql` makes it.
const EVENTS: &str = "CREATE TABLE IF NOT EXISTS events (
    aggregate_type text NOT NULL, aggregate_id text NOT NULL, sequence bigint CHECK (sequence >= 0) NOT NULL,
    event_type text NOT NULL, event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

/// What our bus writes into the metadata of every event, so that both sides write as much.
fn metadata() -> HashMap<String, String> {
    let id = crate::load::new_stream();
    let entries = [("actor_kind", "user"), ("actor_id", "bench"), ("correlation_id", &id)];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

pub struct PostgresEs {
    framework: PostgresCqrs<Adapted<Incident>>,
    pool: PgPool,
}

impl PostgresEs {
    pub async fn open(url: &str, connections: u32) -> Self {
        let options = PgPoolOptions::new().max_connections(connections).min_connections(connections);
        // The ping costs the peer a round trip: its users can turn it off, so it is off.
        let pool = options.test_before_acquire(false).connect(url).await.expect("the peer's database is there");
        pool.execute(EVENTS).await.expect("the peer's table");
        Self { framework: postgres_cqrs(pool.clone(), vec![], ()), pool }
    }

    /// The repository itself, to read a log with.
    pub fn repository(pool: PgPool) -> PostgresEventRepository {
        PostgresEventRepository::new(pool)
    }
}

impl Side for PostgresEs {
    async fn command(&self, stream: &str, step: usize) {
        // On a stream that others change, a user of the peer would try again.
        while let Err(error) = self.framework.execute_with_metadata(stream, command(step), metadata()).await {
            assert!(matches!(error, AggregateError::AggregateConflict), "the peer records it: {error:?}");
        }
    }

    async fn events(&self) -> u64 {
        let row = peer_sqlx::query("SELECT count(*) FROM events").fetch_one(&self.pool).await.expect("a count");
        row.get::<i64, _>(0).unsigned_abs()
    }
}

pub struct SqliteEs {
    framework: CqrsFramework<Adapted<Incident>, PersistedEventStore<SqliteEventRepository, Adapted<Incident>>>,
    pool: SqlitePool,
}

impl SqliteEs {
    pub async fn open(file: &std::path::Path, connections: u32) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(std::time::Duration::from_mins(1));
        let pool = SqlitePoolOptions::new()
            .max_connections(connections)
            .test_before_acquire(false)
            .acquire_timeout(std::time::Duration::from_mins(2))
            .connect_with(options)
            .await
            .expect("the peer's file");
        pool.execute(EVENTS).await.expect("the peer's table");
        Self { framework: sqlite_cqrs(pool.clone(), vec![], ()), pool }
    }
}

impl Side for SqliteEs {
    async fn command(&self, stream: &str, step: usize) {
        // With several connections SQLite may answer that it is busy; a user of the peer would try again.
        while let Err(error) = self.framework.execute_with_metadata(stream, command(step), metadata()).await {
            let text = format!("{error:?}");
            assert!(text.contains("locked") || text.contains("busy"), "the peer records it: {text}");
        }
    }

    async fn events(&self) -> u64 {
        let row = peer_sqlx::query("SELECT count(*) FROM events").fetch_one(&self.pool).await.expect("a count");
        row.get::<i64, _>(0).unsigned_abs()
    }
}
