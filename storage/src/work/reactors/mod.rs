//! How far each reactor has turned the log into work. A reactor's position and the work that it asked for move in one
//! transaction, compare-and-set first: however many nodes react to an event, its work is added once.

mod postgres;
mod sqlite;

use super::NewWork;
use crate::database::Database;
use crate::{StorageError, Store};

/// Rows of work in one advance, which cannot be split.
const WORK_OF_AN_ADVANCE: usize = 10_000;

impl Store {
    /// Where a reactor stands. A new one begins at the head of the log: it reacts to nothing that was before it.
    pub async fn register_reactor(&self, name: &str) -> Result<u64, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.register_reactor(name).await,
            Database::Sqlite(sqlite) => sqlite.register_reactor(name).await,
        }
    }

    /// Moves a reactor from one position to another and adds the work of the events between. False, and nothing is done,
    /// when it does not stand at `from`: another node was faster.
    pub async fn advance_reactor(
        &self,
        name: &str,
        from: u64,
        to: u64,
        work: &[NewWork],
    ) -> Result<bool, StorageError> {
        super::check(work)?;
        if to < from || work.len() > WORK_OF_AN_ADVANCE {
            let work = work.len();
            return Err(StorageError::Rejected(format!(
                "{name} cannot go from {from} to {to} with {work} rows of work"
            )));
        }
        let advanced = match self.database() {
            Database::Postgres(postgres) => postgres.advance_reactor(name, from, to, work).await?,
            Database::Sqlite(sqlite) => sqlite.advance_reactor(name, from, to, work).await?,
        };
        if advanced && !work.is_empty() {
            self.wakeups().work();
        }
        Ok(advanced)
    }

    /// All reactors that ever registered, by name, and where they stand.
    pub async fn reactors(&self) -> Result<Vec<(String, u64)>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.reactors().await,
            Database::Sqlite(sqlite) => sqlite.reactors().await,
        }
    }
}
