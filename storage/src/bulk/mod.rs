//! Bulk rows: what is too much for events (execution output, partner accesses, repeats of a flapping alert). They go in
//! with the event that holds their count and digest, so what proves the event proves them.

mod postgres;
mod sqlite;

use sha2::{Digest as _, Sha256};

use crate::database::Database;
use crate::{StorageError, Store};

/// A row on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkRow {
    /// Which of its command's events holds its digest, counted from 0.
    pub event: usize,
    pub kind: String,
    /// What the row is about, as its readers ask for it.
    pub subject: String,
    pub body: Vec<u8>,
}

/// A row as it is kept: `(position, ord)` is its name, `position` that of its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBulk {
    pub position: u64,
    pub ord: u32,
    pub body: Vec<u8>,
}

/// What an event says of its bulk rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkDigest {
    pub count: u64,
    pub sha256: [u8; 32],
}

impl BulkDigest {
    /// The hash as events hold it: 64 lower case hexadecimal digits.
    pub fn hex(&self) -> String {
        crate::hex::hex_of(&self.sha256)
    }
}

/// The digest of rows in their order. Each body goes in behind its length, so that no two divisions of the same
/// bytes share a digest.
pub fn digest<'a>(bodies: impl IntoIterator<Item = &'a [u8]>) -> BulkDigest {
    let mut count = 0;
    let mut hash = Sha256::new();
    for body in bodies {
        count += 1;
        hash.update((body.len() as u64).to_be_bytes());
        hash.update(body);
    }
    BulkDigest { count, sha256: hash.finalize().into() }
}

impl Store {
    /// The rows of the event at `position`, in order.
    pub async fn bulk_of(&self, position: u64) -> Result<Vec<StoredBulk>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.bulk_of(position).await,
            Database::Sqlite(sqlite) => sqlite.bulk_of(position).await,
        }
    }

    /// A page of the rows about `subject`, after `(position, ord)`.
    pub async fn bulk_about(
        &self,
        kind: &str,
        subject: &str,
        after: (u64, u32),
        limit: usize,
    ) -> Result<Vec<StoredBulk>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.bulk_about(kind, subject, after, limit).await,
            Database::Sqlite(sqlite) => sqlite.bulk_about(kind, subject, after, limit).await,
        }
    }
}
