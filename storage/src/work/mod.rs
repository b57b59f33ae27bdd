//! The work queue, as far as an append has to do with it: a row is claimed under an attempt, and the append that tells
//! its outcome checks that claim and closes the row.

mod postgres;
mod sqlite;

use std::time::Duration;

use uuid::Uuid;

use crate::database::Database;
use crate::{StorageError, Store};

/// The right to tell the outcome of a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub work_id: Uuid,
    pub attempt: i32,
}

/// Work on its way into the queue. Its id is derived from the event that asks for it: adding it twice adds it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWork {
    pub id: Uuid,
    pub kind: String,
    /// Work in one lane is done one at a time, in order of `(created_position, n)`.
    pub lane: String,
    pub priority: i32,
    /// JSON text.
    pub payload: String,
    pub created_position: u64,
    pub n: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub claim: Claim,
    pub kind: String,
    pub lane: String,
    pub payload: String,
    pub created_position: u64,
}

impl Store {
    pub async fn add_work(&self, work: &[NewWork]) -> Result<(), StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.add_work(work).await,
            Database::Sqlite(sqlite) => sqlite.add_work(work).await,
        }
    }

    /// Claims the first work that is due, or whose lease ran out, for `lease`.
    pub async fn claim_work(&self, lease: Duration) -> Result<Option<Claimed>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.claim_work(lease).await,
            Database::Sqlite(sqlite) => sqlite.claim_work(lease).await,
        }
    }
}
