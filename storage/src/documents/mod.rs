//! Documents: what views fold events into, one table for each generation of each view, with typed columns to filter and
//! sort by, and terms to search. Derived from the log, so they may be lost: views are built again.
//!
//! Documents and the position up to which they are folded move in one transaction, which begins with a compare-and-set
//! of that position. So every event is folded exactly once, however many nodes try; leases only save work.
//!
//! Generations under construction: [`builds`]; what an operator does: [`control`].

pub mod builds;
pub mod control;
mod postgres;
mod query;
mod sqlite;
mod table;
mod terms;

use std::time::Duration;

use uuid::Uuid;

use crate::database::Database;
use crate::{StorageError, Store};

pub use control::{BuildRow, Halt, HaltKind, ParkedDocuments, ViewRow};
pub use query::{Filter, MAX_BRANCHES, MAX_PAGE, Query, Sort};
pub use table::{Column, Kind, Shape, Table};
pub use terms::{MAX_TERM, MAX_TERMS};

/// The value of a promoted column. Times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Null,
    Text(String),
    Integer(i64),
}

/// A document on its way into its table, where it replaces the one under its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub key: String,
    /// Of the last event folded into it.
    pub position: u64,
    /// JSON text, kept byte for byte.
    pub body: String,
    /// One for each of the shape's columns, in their order.
    pub columns: Vec<Value>,
    /// What it is found by, normalised by the caller; see [`MAX_TERM`] and [`MAX_TERMS`] for what is left out.
    pub terms: Vec<String>,
    pub parked: Option<Parked>,
}

/// Why a document stands still: an event could not be folded into it, nor can those after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The position of that event.
    pub at: u64,
    pub why: String,
}

/// A document as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub key: String,
    pub position: u64,
    pub body: String,
    pub parked: Option<Parked>,
}

/// A document found by a query, and the value it was sorted by: with its key, where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub document: Stored,
    /// Null when the query sorts by key.
    pub sort: Value,
}

/// That the event at `position` touched the document `key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    pub key: String,
    pub position: u64,
}

/// By how much the number of documents in a group changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountDelta {
    pub grouping: &'static str,
    pub value: String,
    pub by: i64,
}

/// What a batch of events, those after `from` up to `to`, makes of a view. Each document, and each touch, is in it once.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    pub from: u64,
    pub to: u64,
    pub documents: &'a [Document],
    pub touches: &'a [Touch],
    pub counts: &'a [CountDelta],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    Done,
    /// Nothing was written: the view's position moved, or it is of another generation, paused, halted, or held by
    /// another node. As it is now.
    Elsewhere(ViewRow),
}

impl Store {
    /// The live table of a view, made empty, at position 0 and in the present epoch, if there is none.
    pub async fn open_view(&self, shape: &Shape) -> Result<(Table, ViewRow), StorageError> {
        table::check(shape)?;
        let epoch = self.epoch().await?;
        let row = match self.database() {
            Database::Postgres(postgres) => postgres.open_view(shape, &epoch).await?,
            Database::Sqlite(sqlite) => sqlite.views.open_view(shape, &epoch).await?,
        };
        Ok((Table::new(shape, row.generation), row))
    }

    /// The documents that there are under these keys, in no order.
    pub async fn load_documents(&self, table: &Table, keys: &[String]) -> Result<Vec<Stored>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.load_documents(table, keys).await,
            Database::Sqlite(sqlite) => sqlite.views.load_documents(table, keys).await,
        }
    }

    /// Writes all of a batch if the view stands at `commit.from` and is `me`'s to move, and keeps it for `me` for
    /// `lease`. May be lost with its position in a crash of the database, never in part.
    pub async fn commit_documents(
        &self,
        table: &Table,
        me: Uuid,
        lease: Duration,
        commit: &Commit<'_>,
    ) -> Result<Committed, StorageError> {
        table::check_documents(table, commit.documents)?;
        let done = match self.database() {
            Database::Postgres(postgres) => postgres.commit_documents(table, me, lease, commit).await,
            Database::Sqlite(sqlite) => sqlite.views.commit_documents(table, me, lease, commit).await,
        };
        match done {
            Ok(true) => return Ok(Committed::Done),
            Ok(false) | Err(StorageError::Superseded(_)) => {}
            Err(error) => return Err(error),
        }
        let row = self.view_row(table.name(), table.version()).await?;
        row.map(Committed::Elsewhere).ok_or_else(|| table.superseded())
    }

    /// At most `query.limit` documents, and never more than [`MAX_PAGE`], in the order asked for.
    pub async fn query_documents(&self, table: &Table, query: &Query) -> Result<Vec<Found>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.query_documents(table, query).await,
            Database::Sqlite(sqlite) => sqlite.views.query_documents(table, query).await,
        }
    }

    /// How many documents there are in each group, as the commits told it: `(grouping, value, n)`.
    pub async fn view_counts(&self, table: &Table) -> Result<Vec<(String, String, i64)>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.view_counts(table).await,
            Database::Sqlite(sqlite) => sqlite.views.view_counts(table).await,
        }
    }

    /// The positions after `after` of the first `limit` events that touched a document.
    pub async fn touches(&self, table: &Table, key: &str, after: u64, limit: usize) -> Result<Vec<u64>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.touches(table, key, after, limit).await,
            Database::Sqlite(sqlite) => sqlite.views.touches(table, key, after, limit).await,
        }
    }

    /// Whole documents by key, after `after_key`, with their columns and their terms, these sorted: to compare two
    /// generations.
    pub async fn all_documents(
        &self,
        table: &Table,
        after_key: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Document>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.all_documents(table, after_key, limit).await,
            Database::Sqlite(sqlite) => sqlite.views.all_documents(table, after_key, limit).await,
        }
    }
}
