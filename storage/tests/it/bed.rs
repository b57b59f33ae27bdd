//! A store on a database of the test's own, on either engine, and the macro that runs a scenario on all of them.

use std::sync::OnceLock;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};
use storage::{Append, Config, Limits, StorageError, Store, Verdict};
use testbed::{Cluster, Place, Pooler};

use crate::commands::on;

/// Makes a test of each scenario on SQLite, on PostgreSQL, and on PostgreSQL behind a pooler in transaction mode.
macro_rules! everywhere {
    ($($scenario:ident),+ $(,)?) => {
        crate::bed::on_both!($($scenario),+);
        mod pooler {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(&crate::bed::Bed::pooler().await).await;
            })+
        }
    };
}

pub(crate) use everywhere;
pub(crate) use testbed::on_both;

#[derive(Debug)]
pub(crate) struct Bed {
    pub(crate) store: Store,
    pub(crate) config: Config,
    /// The database itself, past the pooler.
    place: Place,
}

impl Bed {
    pub(crate) async fn on(place: Place) -> Self {
        Self::reached_by(place.url().to_owned(), place).await
    }

    pub(crate) async fn sqlite() -> Self {
        Self::on(Place::sqlite()).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::on(Place::postgres().await).await
    }

    pub(crate) async fn pooler() -> Self {
        let place = Place::postgres().await;
        Self::reached_by(pooled(place.url()), place).await
    }

    async fn reached_by(url: String, place: Place) -> Self {
        let config = Config::new(url);
        let store = Store::open(&config).await.expect("an empty database opens");
        Self { store, config, place }
    }

    /// Another database of this kind, without tables.
    pub(crate) async fn empty_twin(&self) -> Config {
        let (url, is_pooled) = (self.place.twin().await, self.config.url.contains("pgbouncer=true"));
        Config::new(if is_pooled { pooled(&url) } else { url })
    }

    /// A store of another node: nothing is shared with the first but the database.
    pub(crate) async fn another_node(&self) -> Store {
        Store::open_with(&self.config, Limits::default()).await.expect("a second store opens")
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.place.is_sqlite()
    }

    /// The statement in the dialect of this bed.
    pub(crate) fn sql<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        if self.is_sqlite() { sqlite } else { postgres }
    }

    /// A plain connection, on PostgreSQL as superuser, which has none of our settings.
    pub(crate) async fn outside(&self) -> Outside {
        Outside::connect(self.place.url()).await
    }

    /// Appends commands so that all of them stand in one batch: while the log is locked from outside, a first command
    /// waits for it, and all others wait for that one. The order is kept.
    pub(crate) async fn append_in_one_batch(&self, batch: Vec<Append>) -> Vec<Result<Verdict, StorageError>> {
        let mut outside = self.outside().await;
        outside.run(self.sql("BEGIN IMMEDIATE", "BEGIN; SELECT pg_advisory_xact_lock(5044039871231)")).await;
        let plug = self.store.append(on("plug", 0));
        let rest = batch.into_iter().map(|append| self.store.append(append));
        // Polled in this order: when the last one runs, all others are waiting.
        let rest = futures_util::future::join_all(rest);
        let unlock = async { outside.run("COMMIT").await };
        let (plug, answers, ()) = tokio::join!(plug, rest, unlock);
        assert!(matches!(plug, Ok(Verdict::Committed(_) | Verdict::Conflict)), "{plug:?}");
        answers
    }

    /// An event put into the log behind the store's back.
    pub(crate) async fn insert_from_outside(&self, stream: &str, seconds_ahead: u32) {
        let sql = format!(
            "INSERT INTO events SELECT coalesce(max(position), 0) + 1, 'thing', '{stream}', 1, 'thing.happened', '1',
                    '{{}}', '{{}}', {} FROM events",
            if self.is_sqlite() {
                format!(
                    "randomblob(16), randomblob(16), 0, randomblob(16),
                     CAST(unixepoch('subsec') * 1000000 AS INTEGER) + {seconds_ahead} * 1000000"
                )
            } else {
                format!(
                    "gen_random_uuid(), gen_random_uuid(), 0, decode(md5('salt'), 'hex'),
                     clock_timestamp() + {seconds_ahead} * interval '1 second'"
                )
            }
        );
        self.outside().await.run(&sql).await;
    }
}

/// A database of the shared cluster, by the pooler in front of it.
fn pooled(url: &str) -> String {
    static POOLER: OnceLock<Pooler> = OnceLock::new();
    let name = url.rsplit('/').next().expect("a URL names its database");
    POOLER.get_or_init(|| Pooler::in_front_of(Cluster::shared())).url(name)
}

/// What a test does behind the store's back.
#[derive(Debug)]
pub(crate) enum Outside {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Outside {
    pub(crate) async fn connect(url: &str) -> Self {
        match url.strip_prefix("sqlite:") {
            Some(path) => Self::Sqlite(SqliteConnection::connect(path).await.expect("the file opens")),
            None => Self::Postgres(PgConnection::connect(url).await.expect("the cluster is up")),
        }
    }

    pub(crate) async fn try_run(&mut self, sql: &str) -> Result<u64, sqlx::Error> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        Ok(match self {
            Self::Sqlite(connection) => connection.execute(sql).await?.rows_affected(),
            Self::Postgres(connection) => connection.execute(sql).await?.rows_affected(),
        })
    }

    pub(crate) async fn run(&mut self, sql: &str) {
        self.try_run(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The one number that a query answers.
    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => sqlx::query(sql).fetch_one(connection).await.and_then(|row| row.try_get(0)),
            Self::Postgres(connection) => sqlx::query(sql).fetch_one(connection).await.and_then(|row| row.try_get(0)),
        }
        .expect("a query of the test's own")
    }

    /// What the database says when it refuses `sql`.
    pub(crate) async fn refusal(&mut self, sql: &str) -> String {
        match self.try_run(sql).await {
            Err(sqlx::Error::Database(error)) => error.message().to_owned(),
            Err(error) => panic!("{sql}: {error}"),
            Ok(_) => panic!("not refused: {sql}"),
        }
    }
}
