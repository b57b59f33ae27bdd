//! Connections to PostgreSQL or SQLite, made the way the log needs them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, Either, Executor};
use tokio::time::timeout;

use crate::StorageError;
use crate::epoch::Staleness;

/// Who opens the database. On SQLite only one process may serve; the others are ordinary second writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Serve,
    Beside,
}

#[derive(Debug, Clone)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`. With `pgbouncer=true` among the parameters of the latter, nothing is used
    /// that a pooler in transaction mode cannot carry.
    pub url: String,
    /// A PostgreSQL role of its own for migrations; then `url`'s role needs to own nothing.
    pub migration_url: Option<String>,
    pub access: Access,
    /// Connections to PostgreSQL, or readers of SQLite.
    pub connections: u32,
}

impl Config {
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), migration_url: None, access: Access::Beside, connections: 8 }
    }

    #[must_use]
    pub fn serve(self) -> Self {
        Self { access: Access::Serve, ..self }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Database {
    Postgres(Postgres),
    Sqlite(Sqlite),
}

impl Database {
    pub(crate) async fn open(config: &Config, staleness: &Arc<Staleness>) -> Result<Self, StorageError> {
        if config.url.starts_with("postgres:") || config.url.starts_with("postgresql:") {
            Ok(Self::Postgres(Postgres::open(&config.url, config.connections, staleness.clone()).await?))
        } else if let Some(path) = config.url.strip_prefix("sqlite:") {
            Ok(Self::Sqlite(Sqlite::open(Path::new(path), config).await?))
        } else {
            let scheme = config.url.split(':').next().unwrap_or_default();
            Err(StorageError::Configuration(format!(
                "a database URL begins with sqlite: or postgres://, not '{scheme}:'"
            )))
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Postgres {
    pub(crate) pool: PgPool,
    /// False behind a pooler in transaction mode, where prepared statements have no home.
    pub(crate) session: bool,
}

impl Postgres {
    pub(crate) async fn open(url: &str, connections: u32, staleness: Arc<Staleness>) -> Result<Self, StorageError> {
        let (options, session) = Self::options(url)?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(5))
            // A ping on every acquire costs as much as a small query; a lost connection is found by its use.
            .test_before_acquire(false)
            .after_connect(move |_, _| {
                // Another server may have taken over since: see `epoch`.
                staleness.mark();
                Box::pin(async { Ok(()) })
            })
            .connect_with(options)
            .await?;
        Ok(Self { pool, session })
    }

    fn options(url: &str) -> Result<(PgConnectOptions, bool), StorageError> {
        let (url, session) = strip_pgbouncer(url);
        let options = PgConnectOptions::from_str(&url)
            .map_err(|e| StorageError::Configuration(format!("the PostgreSQL URL does not parse: {e}")))?
            .application_name("pagefree");
        if session {
            let pinned = [
                ("default_transaction_isolation", "read committed"),
                // A plan cached while a table was tiny must not scan it when it has grown.
                ("enable_seqscan", "off"),
                // Planning anew for the lengths of the arrays costs more than running the statement.
                ("plan_cache_mode", "force_generic_plan"),
                // A generic plan looks as dear as its limits might be, and compiling it costs more than running it.
                ("jit", "off"),
            ];
            Ok((options.options(pinned), true))
        } else {
            Ok((options.statement_cache_capacity(0), false))
        }
    }

    pub(crate) fn query(&self, sql: &'static str) -> Statement {
        sqlx::query(sql).persistent(self.session)
    }

    /// A statement that was written from checked names.
    pub(crate) fn written(&self, sql: &Arc<str>) -> Statement {
        sqlx::query(AssertSqlSafe(sql.clone())).persistent(self.session)
    }

    /// The rows that a statement answers.
    pub(crate) async fn rows(&self, statement: Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        Ok(self.run(statement).await?.0)
    }

    /// The only row that a statement answers, if it answers one.
    pub(crate) async fn row(&self, statement: Statement) -> Result<Option<PgRow>, sqlx::Error> {
        Ok(self.rows(statement).await?.pop())
    }

    /// How many rows a statement changed.
    pub(crate) async fn execute(&self, statement: Statement) -> Result<u64, sqlx::Error> {
        Ok(self.run(statement).await?.1)
    }

    async fn run(&self, statement: Statement) -> Result<(Vec<PgRow>, u64), sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let answer = timeout(ANSWERED_WITHIN, async {
            if self.session {
                return answer(&mut connection, statement).await;
            }
            // Preparing and running are two round trips: only a transaction keeps them on one of the pooler's servers.
            let mut transaction = connection.begin_with(POOLED).await?;
            let answer = answer(&mut transaction, statement).await?;
            transaction.commit().await?;
            Ok(answer)
        });
        if let Ok(answer) = answer.await {
            return answer;
        }
        connection.close_on_drop();
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the server does not answer")))
    }
}

pub(crate) type Statement = Query<'static, sqlx::Postgres, PgArguments>;

/// A server that has said nothing for so long may be gone without a word, and TCP would wait for a quarter of an hour.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// What `Postgres::options` pins for a session, for one transaction; and a client that stalls in it loses its locks.
const POOLED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL enable_seqscan = off;
    SET LOCAL plan_cache_mode = force_generic_plan;
    SET LOCAL jit = off;
    SET LOCAL idle_in_transaction_session_timeout = '5s'";

async fn answer(connection: &mut PgConnection, statement: Statement) -> Result<(Vec<PgRow>, u64), sqlx::Error> {
    let mut parts = connection.fetch_many(statement);
    let (mut rows, mut changed) = (Vec::new(), 0);
    while let Some(part) = parts.try_next().await? {
        match part {
            Either::Left(done) => changed += done.rows_affected(),
            Either::Right(row) => rows.push(row),
        }
    }
    Ok((rows, changed))
}

/// Takes the parameter `pgbouncer=true` out of a URL, and says whether sessions are ours (no such parameter).
fn strip_pgbouncer(url: &str) -> (String, bool) {
    let Some((base, parameters)) = url.split_once('?') else { return (url.to_owned(), true) };
    let kept: Vec<&str> = parameters.split('&').filter(|p| *p != "pgbouncer=true").collect();
    let session = kept.len() == parameters.split('&').count();
    let url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
    (url, session)
}

#[derive(Debug, Clone)]
pub(crate) struct Sqlite {
    /// One connection: SQLite has one writer, and waiting here is cheaper than waiting there.
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) views: Views,
    /// Held as long as this process serves.
    _serving: Option<Arc<File>>,
}

impl Sqlite {
    async fn open(path: &Path, config: &Config) -> Result<Self, StorageError> {
        private(path)?;
        let serving = match config.access {
            Access::Serve => Some(Arc::new(lock(path)?)),
            Access::Beside => None,
        };
        let (writer, readers) = pools(path, SqliteSynchronous::Full, config.connections).await?;
        let views = Views::open(&views_beside(path), config).await?;
        Ok(Self { writer, readers, views, _serving: serving })
    }
}

/// What views fold, in a file of its own, so that they do not compete with the log for the one writer. It may be deleted
/// at any time while nobody has it open: all of it is derived from the log.
#[derive(Debug, Clone)]
pub(crate) struct Views {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
}

impl Views {
    async fn open(path: &Path, config: &Config) -> Result<Self, StorageError> {
        private(path)?;
        // What a power failure takes is folded again.
        let (writer, readers) = match pools(path, SqliteSynchronous::Normal, config.connections).await {
            Err(error) if config.access == Access::Serve && is_no_database(&error) => {
                tracing::warn!(path = %path.display(), %error, "begun anew");
                begin_anew(path)?;
                pools(path, SqliteSynchronous::Normal, config.connections).await?
            }
            opened => opened?,
        };
        Ok(Self { writer, readers })
    }
}

/// `pagefree.db` → `pagefree.views.db`.
fn views_beside(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(".views");
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// The header is not that of a database, or the file is damaged where it is looked at first.
fn is_no_database(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("11" | "26"))
}

fn begin_anew(path: &Path) -> Result<(), StorageError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(StorageError::Configuration(format!("{}: {e}", path.display())));
            }
            _ => {}
        }
    }
    private(path)
}

/// One writer and some readers.
async fn pools(
    path: &Path,
    synchronous: SqliteSynchronous,
    readers: u32,
) -> Result<(SqlitePool, SqlitePool), sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(Duration::from_secs(10))
        // REPLACE deletes; only so do the triggers that refuse deletion see it.
        .pragma("recursive_triggers", "ON")
        // What is overwritten is wiped in its page: a destroyed key, wrapped as it was, is not left in a free corner of it.
        .pragma("secure_delete", "FAST");
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(readers)
        .test_before_acquire(false)
        .connect_with(options.pragma("query_only", "ON"))
        .await?;
    Ok((writer, readers))
}

/// Takes the lock that only one serving process holds. It is beside the database, so that it outlives a restore.
fn lock(path: &Path) -> Result<File, StorageError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".serving");
    let name = PathBuf::from(name);
    let cannot = |e: std::io::Error| StorageError::Configuration(format!("{}: {e}", name.display()));
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&name).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::InUse(path.display().to_string())),
        Err(TryLockError::Error(e)) => Err(cannot(e)),
    }
}

/// Makes the file before SQLite does, readable by its owner alone.
fn private(path: &Path) -> Result<(), StorageError> {
    let cannot = |e: std::io::Error| StorageError::Configuration(format!("{}: {e}", path.display()));
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(cannot)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use sqlx::Row;

    use super::{Config, Database, Sqlite, SqlitePool, strip_pgbouncer};
    use crate::StorageError;
    use crate::epoch::Staleness;
    use crate::events::{Append, EventLog, NewEvent, StreamId, StreamWrite, Verdict};

    async fn sqlite(folder: &tempfile::TempDir) -> Sqlite {
        let config = Config::new(format!("sqlite:{}", folder.path().join("log.db").display()));
        let database = Database::open(&config, &Arc::new(Staleness::default())).await.unwrap();
        crate::migrations::run(&database, &config).await.unwrap();
        match database {
            Database::Sqlite(sqlite) => sqlite,
            Database::Postgres(_) => unreachable!("the URL says SQLite"),
        }
    }

    async fn pragma(pool: &SqlitePool, sql: &'static str) -> i64 {
        sqlx::query(sql).fetch_one(pool).await.unwrap().get(0)
    }

    #[tokio::test]
    async fn our_connections_to_sqlite_have_what_the_log_needs() {
        let folder = tempfile::tempdir().unwrap();
        let Sqlite { writer, readers, .. } = sqlite(&folder).await;
        for pool in [&writer, &readers] {
            assert_eq!(pragma(pool, "PRAGMA recursive_triggers").await, 1, "a replacement is seen by the triggers");
            assert_eq!(pragma(pool, "PRAGMA synchronous").await, 2, "FULL");
            assert_eq!(pragma(pool, "PRAGMA busy_timeout").await, 10_000);
            let mode: String = sqlx::query("PRAGMA journal_mode").fetch_one(pool).await.unwrap().get(0);
            assert_eq!(mode, "wal");
        }
        assert_eq!(pragma(&readers, "PRAGMA query_only").await, 1);
        assert_eq!(pragma(&writer, "PRAGMA query_only").await, 0);
    }

    /// Also where nobody may mount a small disk, as `disk_full` does.
    #[tokio::test]
    async fn a_full_sqlite_file_refuses_clearly_and_recovers() {
        let folder = tempfile::tempdir().unwrap();
        let log = sqlite(&folder).await;
        let append = |n: u128| {
            let id = uuid::Uuid::from_u128(n);
            let payload = format!("\"{}\"", "x".repeat(20_000));
            let event = NewEvent { event_id: id, event_type: "t".to_owned(), event_version: 1, payload };
            let stream = StreamId::new("t", n.to_string());
            [Append::new(id, vec![StreamWrite { stream, expected: 0, events: vec![event] }])]
        };
        assert!(matches!(log.append(&append(1)).await.unwrap()[..], [Verdict::Committed(_)]));
        // It is forgotten with the connection, and so the space comes back.
        sqlx::query("PRAGMA max_page_count = 1").execute(&log.writer).await.unwrap();
        let refused = log.append(&append(2)).await;
        assert!(matches!(refused, Err(StorageError::Full(_))), "{refused:?}");
        assert_eq!(log.head().await.unwrap(), 1);
        assert!(matches!(log.append(&append(2)).await.unwrap()[..], [Verdict::Committed(_)]));
    }

    #[test]
    fn views_stand_beside_the_log() {
        let beside = |path: &str| super::views_beside(Path::new(path)).display().to_string();
        assert_eq!(beside("data/pagefree.db"), "data/pagefree.views.db");
        assert_eq!(beside("/x.y/log"), "/x.y/log.views");
    }

    #[test]
    fn only_the_pgbouncer_parameter_is_taken_out() {
        let url = |s: &str| (s.to_owned(), true);
        assert_eq!(strip_pgbouncer("postgres://h/d"), url("postgres://h/d"));
        assert_eq!(strip_pgbouncer("postgres://h/d?sslmode=require"), url("postgres://h/d?sslmode=require"));
        assert_eq!(strip_pgbouncer("postgres://h/d?pgbouncer=true"), ("postgres://h/d".to_owned(), false));
        assert_eq!(
            strip_pgbouncer("postgres://h/d?a=b&pgbouncer=true&c=d"),
            ("postgres://h/d?a=b&c=d".to_owned(), false)
        );
    }
}
