//! Which history a position belongs to. A restore, or a failover that may have lost a suffix, begins a new epoch, so
//! that whoever is ahead of the log learns it instead of silently waiting.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use sqlx::Row;
use tokio::sync::RwLock;

use crate::StorageError;
use crate::database::{Database, Postgres, Sqlite};
use crate::hex::hex_of;
use crate::random;

/// A position as it is given to clients: `<epoch>:<position>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub epoch: Arc<str>,
    pub position: u64,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.position)
    }
}

impl FromStr for Token {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a position: expected <epoch>:<number>");
        let (epoch, position) = text.split_once(':').ok_or_else(wrong)?;
        if epoch.is_empty() {
            return Err(wrong());
        }
        Ok(Self { epoch: epoch.into(), position: position.parse().map_err(|_| wrong())? })
    }
}

/// Counts the signs that another server may have taken over: after each the epoch is looked up again.
#[derive(Debug, Default)]
pub(crate) struct Staleness {
    signs: AtomicU64,
    /// The PostgreSQL timeline last seen, 0 when none was.
    timeline: AtomicI32,
}

impl Staleness {
    pub(crate) fn mark(&self) {
        self.signs.fetch_add(1, Ordering::AcqRel);
    }

    /// How many signs there were so far.
    pub(crate) fn signs(&self) -> u64 {
        self.signs.load(Ordering::Acquire)
    }

    /// The timeline that an append saw, as the eight hexadecimal digits that begin a WAL file's name.
    pub(crate) fn observe_timeline(&self, digits: &str) {
        let timeline = parse_timeline(digits);
        if self.timeline.swap(timeline, Ordering::AcqRel) != timeline {
            self.mark();
        }
    }
}

fn parse_timeline(digits: &str) -> i32 {
    i32::from_str_radix(digits, 16).unwrap_or_default()
}

/// The current epoch, looked up again whenever it may have changed.
#[derive(Debug)]
pub(crate) struct Epochs {
    known: RwLock<Known>,
    staleness: Arc<Staleness>,
}

#[derive(Debug)]
struct Known {
    epoch: Arc<str>,
    /// How many signs had been seen when it was looked up.
    as_of: u64,
}

impl Epochs {
    pub(crate) async fn open(database: &Database, staleness: Arc<Staleness>) -> Result<Self, StorageError> {
        let as_of = staleness.signs();
        let known = RwLock::new(Known { epoch: current(database).await?, as_of });
        Ok(Self { known, staleness })
    }

    pub(crate) async fn current(&self, database: &Database) -> Result<Arc<str>, StorageError> {
        let signs = self.staleness.signs();
        if let Known { epoch, as_of } = &*self.known.read().await
            && *as_of >= signs
        {
            return Ok(epoch.clone());
        }
        // Held until the answer is there: a position told meanwhile must not be told with the old epoch. And the sign
        // counts as seen only then, so that a caller who gives up hides it from nobody.
        let mut known = self.known.write().await;
        if known.as_of < signs {
            let as_of = self.staleness.signs();
            *known = Known { epoch: current(database).await?, as_of };
        }
        Ok(known.epoch.clone())
    }
}

/// The latest epoch, begun now if there is none or if the server's timeline is not the epoch's.
async fn current(database: &Database) -> Result<Arc<str>, StorageError> {
    match database {
        Database::Postgres(postgres) => current_postgres(postgres).await,
        Database::Sqlite(sqlite) => current_sqlite(sqlite).await,
    }
}

const LATEST: &str = "SELECT epoch, ord, timeline FROM log_epochs ORDER BY ord DESC LIMIT 1";
const TIMELINE: &str =
    "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END";

async fn current_postgres(postgres: &Postgres) -> Result<Arc<str>, StorageError> {
    let row = postgres.row(postgres.query(TIMELINE)).await?.ok_or(sqlx::Error::RowNotFound)?;
    let timeline = parse_timeline(row.try_get(0)?);
    loop {
        let latest = postgres.row(postgres.query(LATEST)).await?;
        let ord = match &latest {
            // In recovery nothing can be begun; the primary will do it.
            Some(row) if timeline == 0 || row.try_get::<i32, _>("timeline")? == timeline => {
                return Ok(Arc::from(row.try_get::<&str, _>("epoch")?));
            }
            Some(row) => row.try_get::<i32, _>("ord")? + 1,
            None => 1,
        };
        // The append's own lock: no event may slip in between the position read and the epoch begun.
        let mut transaction = postgres.pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock(5044039871231)").persistent(false).execute(&mut *transaction).await?;
        sqlx::query(
            "INSERT INTO log_epochs (ord, epoch, after_position, timeline, reason)
             SELECT $1, $2, coalesce(max(position), 0), $3, $4 FROM events ON CONFLICT DO NOTHING",
        )
        .persistent(false)
        .bind(ord)
        .bind(new_epoch()?)
        .bind(timeline)
        .bind(if ord == 1 { "created" } else { "failover" })
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
    }
}

async fn current_sqlite(sqlite: &Sqlite) -> Result<Arc<str>, StorageError> {
    sqlx::query(
        "INSERT INTO log_epochs (ord, epoch, after_position, timeline, reason)
         SELECT 1, $1, 0, 0, 'created' WHERE NOT EXISTS (SELECT 1 FROM log_epochs)",
    )
    .bind(new_epoch()?)
    .execute(&sqlite.writer)
    .await?;
    let row = sqlx::query(LATEST).fetch_one(&sqlite.readers).await?;
    Ok(Arc::from(row.try_get::<&str, _>("epoch")?))
}

fn new_epoch() -> Result<String, StorageError> {
    Ok(hex_of(&random::bytes(6)?))
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn a_token_reads_back() {
        let token: Token = "a1b2c3:42".parse().unwrap();
        assert_eq!((token.epoch.as_ref(), token.position), ("a1b2c3", 42));
        assert_eq!(token.to_string(), "a1b2c3:42");
        for wrong in ["", "42", ":42", "a:", "a:-1", "a:x"] {
            assert!(wrong.parse::<Token>().is_err(), "{wrong}");
        }
    }
}
