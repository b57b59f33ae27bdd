//! The door to everything durable.

use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use crate::database::{Config, Database};
use crate::epoch::{Epochs, Staleness, Token};
use crate::events::postgres::PostgresLog;
use crate::events::{Append, EventLog, Recorded, StreamId, StreamPlace, Verdict, Wanted};
use crate::group_commit::{Closer, Limits, Loader, Writer};
use crate::lookout::Lookout;
use crate::tail::{Tail, assert_contiguous};
use crate::wake::{Exchange, Wakeups};
use crate::{StorageError, migrations};

/// An open database. Cheap to clone; one per process, because the group commit is.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Database,
    writer: Writer,
    loader: Loader,
    closer: Closer,
    wakeups: Wakeups,
    epochs: Epochs,
    _exchange: Option<Exchange>,
    /// From the first reader on.
    lookout: OnceLock<Lookout>,
}

impl Store {
    /// Opens the database, makes or upgrades its tables, and starts to exchange wake-ups with other nodes.
    pub async fn open(config: &Config) -> Result<Self, StorageError> {
        Self::open_with(config, Limits::default()).await
    }

    pub async fn open_with(config: &Config, limits: Limits) -> Result<Self, StorageError> {
        let staleness = Arc::new(Staleness::default());
        let database = Database::open(config, &staleness).await?;
        migrations::run(&database, config).await?;
        let epochs = Epochs::open(&database, staleness.clone()).await?;
        let wakeups = Wakeups::default();
        let log: Arc<dyn EventLog> = match &database {
            Database::Postgres(postgres) => Arc::new(PostgresLog::new(postgres.clone(), staleness)),
            Database::Sqlite(sqlite) => Arc::new(sqlite.clone()),
        };
        let exchange = match &database {
            Database::Postgres(postgres) if postgres.session => Some(Exchange::start(&postgres.pool, &wakeups)),
            // Behind a pooler nobody can listen, and with SQLite there is one node: polling suffices.
            _ => None,
        };
        let writer = Writer::waking(log.clone(), limits, wakeups.clone());
        let loader = Loader::new(log, limits.waiting);
        let closer = Closer::new(database.clone(), wakeups.clone(), limits.waiting);
        Ok(Self(Arc::new(Inner {
            database,
            writer,
            loader,
            closer,
            wakeups,
            epochs,
            _exchange: exchange,
            lookout: OnceLock::new(),
        })))
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    pub(crate) fn closer(&self) -> &Closer {
        &self.0.closer
    }

    pub(crate) fn wakeups(&self) -> &Wakeups {
        &self.0.wakeups
    }

    /// Appends one command, together with whatever else is waiting.
    pub async fn append(&self, append: Append) -> Result<Verdict, StorageError> {
        let closes_work = append.claim.is_some();
        let verdict = self.0.writer.append(append).await?;
        if closes_work && matches!(verdict, Verdict::Committed(_)) {
            // What stood behind it in its lane may now be claimed.
            self.0.wakeups.work();
        }
        Ok(verdict)
    }

    /// The events of a stream after `after`, in order.
    pub async fn load(&self, stream: StreamId, after: u64) -> Result<Vec<Recorded>, StorageError> {
        let mut parts = self.load_all(vec![Wanted { stream, after }]).await?;
        Ok(parts.pop().unwrap_or_default())
    }

    /// The wanted part of each stream, in the order asked for.
    pub async fn load_all(&self, wanted: Vec<Wanted>) -> Result<Vec<Vec<Recorded>>, StorageError> {
        self.0.loader.load(wanted).await
    }

    /// The position of the last event, 0 when there is none.
    pub async fn head(&self) -> Result<u64, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.head().await,
            Database::Sqlite(sqlite) => sqlite.head().await,
        }
    }

    /// The next events after `position`, in order and without a gap.
    pub async fn read_after(&self, position: u64, limit: usize) -> Result<Vec<Recorded>, StorageError> {
        let events = match self.database() {
            Database::Postgres(postgres) => postgres.read_after(position, limit).await?,
            Database::Sqlite(sqlite) => sqlite.read_after(position, limit).await?,
        };
        assert_contiguous(position, &events)?;
        Ok(events)
    }

    /// As [`Store::read_after`], but fewer events where they are large: what is held in memory is bounded.
    pub async fn read_part(&self, position: u64, limit: usize) -> Result<Vec<Recorded>, StorageError> {
        let events = match self.database() {
            Database::Postgres(postgres) => postgres.read_part(position, limit).await?,
            Database::Sqlite(sqlite) => sqlite.read_part(position, limit).await?,
        };
        assert_contiguous(position, &events)?;
        Ok(events)
    }

    /// The next events of one aggregate type, bounded alike, stream by stream in order, none of them beyond the position `up_to`.
    pub async fn read_streams(
        &self,
        aggregate_type: &str,
        after: &StreamPlace,
        up_to: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.read_streams(aggregate_type, after, up_to, limit).await,
            Database::Sqlite(sqlite) => sqlite.read_streams(aggregate_type, after, up_to, limit).await,
        }
    }

    /// Follows the log from `position` on.
    pub fn tail(&self, position: u64) -> Tail {
        Tail::new(self.clone(), position, self.head_news())
    }

    /// Changes when the log grows, here or on another node. Only a hint; but nobody who waits for it need poll often.
    pub fn head_news(&self) -> watch::Receiver<u64> {
        self.0.lookout.get_or_init(|| Lookout::start(self.database().clone(), self.0.wakeups.clone()));
        self.0.wakeups.subscribe()
    }

    /// Which history this is: changed by a restore, or by a failover that may have lost a suffix. What was read in
    /// another epoch may never have happened in this one.
    pub async fn epoch(&self) -> Result<Arc<str>, StorageError> {
        self.0.epochs.current(self.database()).await
    }

    /// `position` as clients are told it.
    pub async fn token(&self, position: u64) -> Result<Token, StorageError> {
        Ok(Token { epoch: self.epoch().await?, position })
    }

    /// Which database this is, for people.
    pub fn engine(&self) -> &'static str {
        match self.database() {
            Database::Postgres(_) => "PostgreSQL",
            Database::Sqlite(_) => "SQLite",
        }
    }
}
