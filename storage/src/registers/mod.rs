//! Registers: small mutable facts that are no evidence (token hashes, sessions, last-used times), changed only by
//! whoever knows their present revision.

mod postgres;
mod sqlite;

use std::time::Duration;

use crate::database::Database;
use crate::{StorageError, Store};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    pub key: String,
    /// JSON text.
    pub value: String,
    pub revision: u64,
}

impl Store {
    /// A register that is there and has not expired.
    pub async fn register(&self, kind: &str, key: &str) -> Result<Option<Register>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.register(kind, key).await,
            Database::Sqlite(sqlite) => sqlite.register(kind, key).await,
        }
    }

    /// Those of a kind that are there and have not expired among `keys`, in one query. Not in the order asked for.
    pub async fn registers_of(&self, kind: &str, keys: &[&str]) -> Result<Vec<Register>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.registers_of(kind, keys).await,
            Database::Sqlite(sqlite) => sqlite.registers_of(kind, keys).await,
        }
    }

    /// All registers of a kind that have not expired, by key, after `after`.
    pub async fn registers(&self, kind: &str, after: &str, limit: usize) -> Result<Vec<Register>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.registers(kind, after, limit).await,
            Database::Sqlite(sqlite) => sqlite.registers(kind, after, limit).await,
        }
    }

    /// Writes a register if its present revision is `register.revision` (0: there is none), and raises that by one.
    /// Says whether it was.
    pub async fn set_register(
        &self,
        kind: &str,
        register: &Register,
        lifetime: Option<Duration>,
    ) -> Result<bool, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.set_register(kind, register, lifetime).await,
            Database::Sqlite(sqlite) => sqlite.set_register(kind, register, lifetime).await,
        }
    }

    /// Removes a register if its revision is still `known`. Says whether it was.
    pub async fn remove_register(&self, kind: &str, key: &str, known: u64) -> Result<bool, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.remove_register(kind, key, known).await,
            Database::Sqlite(sqlite) => sqlite.remove_register(kind, key, known).await,
        }
    }

    /// Removes up to `limit` expired registers, as many expired idempotency keys, and as many rows of work that were done
    /// or skipped a week ago; says how many it removed.
    pub async fn sweep(&self, limit: usize) -> Result<u64, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.sweep(limit).await,
            Database::Sqlite(sqlite) => sqlite.sweep(limit).await,
        }
    }
}
