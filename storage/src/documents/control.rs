//! Where each view stands, and what an operator does about it: pause, resume, skip, drop.

use uuid::Uuid;

use super::table::check_name;
use super::{Parked, Shape, Table};
use crate::database::Database;
use crate::{StorageError, Store};

/// Where a view stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRow {
    pub name: String,
    pub version: u32,
    /// The live one.
    pub generation: u32,
    /// All events up to here are folded.
    pub position: u64,
    /// Which history that position belongs to.
    pub epoch: String,
    pub halt: Option<Halt>,
    pub paused: bool,
    pub held_by: Option<Uuid>,
    /// Microseconds until the lease ends, by the database's clock; free when not above 0.
    pub held_for_us: i64,
}

/// Why a view does not move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    pub kind: HaltKind,
    /// Of the event that it cannot pass.
    pub position: u64,
    pub why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HaltKind {
    /// An event of a type or version that this binary does not know.
    Unknown,
    /// An event that cannot be folded.
    Poison,
}

impl HaltKind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Poison => "poison",
        }
    }

    pub(super) fn from_word(word: &str) -> Result<Self, StorageError> {
        match word {
            "unknown" => Ok(Self::Unknown),
            "poison" => Ok(Self::Poison),
            other => Err(StorageError::Incompatible(format!("a view is halted as '{other}'"))),
        }
    }
}

/// Documents that stand still, each by its key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParkedDocuments {
    pub count: u64,
    /// By key; not all of them where there are many.
    pub first: Vec<(String, Parked)>,
}

/// A generation under construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildRow {
    pub name: String,
    pub version: u32,
    pub generation: u32,
    pub position: u64,
    pub epoch: String,
    /// Whether its indexes stand, so that it may be promoted.
    pub finished: bool,
}

impl Store {
    /// All views there are, in all versions.
    pub async fn view_rows(&self) -> Result<Vec<ViewRow>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.view_rows(None).await,
            Database::Sqlite(sqlite) => sqlite.views.view_rows(None).await,
        }
    }

    pub async fn view_row(&self, name: &str, version: u32) -> Result<Option<ViewRow>, StorageError> {
        let mut rows = match self.database() {
            Database::Postgres(postgres) => postgres.view_rows(Some((name, version))).await?,
            Database::Sqlite(sqlite) => sqlite.views.view_rows(Some((name, version))).await?,
        };
        Ok(rows.pop())
    }

    /// All generations under construction.
    pub async fn view_builds(&self) -> Result<Vec<BuildRow>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.view_builds().await,
            Database::Sqlite(sqlite) => sqlite.views.view_builds().await,
        }
    }

    /// Halts a view if it still stands at `from` in that generation and is not halted. Says whether it did.
    pub async fn halt_view(
        &self,
        name: &str,
        version: u32,
        generation: u32,
        from: u64,
        halt: &Halt,
    ) -> Result<bool, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.halt_view(name, version, generation, from, halt).await,
            Database::Sqlite(sqlite) => sqlite.views.halt_view(name, version, generation, from, halt).await,
        }
    }

    /// Stops a view until it is resumed. False when there is none.
    pub async fn pause_view(&self, name: &str, version: u32) -> Result<bool, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.pause_view(name, version).await,
            Database::Sqlite(sqlite) => sqlite.views.pause_view(name, version).await,
        }
    }

    /// Ends a pause and clears a halt. False when there is no such view.
    pub async fn resume_view(&self, name: &str, version: u32) -> Result<bool, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.resume_view(name, version).await,
            Database::Sqlite(sqlite) => sqlite.views.resume_view(name, version).await,
        }
    }

    /// Records that a view shall pass over the event at `position`. The first reason stays.
    pub async fn skip_event(&self, name: &str, version: u32, position: u64, why: &str) -> Result<(), StorageError> {
        check_name(name)?;
        match self.database() {
            Database::Postgres(postgres) => postgres.skip_event(name, version, position, why).await,
            Database::Sqlite(sqlite) => sqlite.views.skip_event(name, version, position, why).await,
        }
    }

    /// The positions that a view passes over, in order.
    pub async fn view_skips(&self, name: &str, version: u32) -> Result<Vec<u64>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.view_skips(name, version).await,
            Database::Sqlite(sqlite) => sqlite.views.view_skips(name, version).await,
        }
    }

    /// How many documents are parked, and the first `limit` of them.
    pub async fn parked_documents(&self, table: &Table, limit: usize) -> Result<ParkedDocuments, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.parked_documents(table, limit).await,
            Database::Sqlite(sqlite) => sqlite.views.parked_documents(table, limit).await,
        }
    }

    /// Says that a view's position belongs to `epoch`. False when there is no such view.
    pub async fn set_view_epoch(&self, name: &str, version: u32, epoch: &str) -> Result<bool, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.set_view_epoch(name, version, epoch).await,
            Database::Sqlite(sqlite) => sqlite.views.set_view_epoch(name, version, epoch).await,
        }
    }

    /// Removes a version of a view, with its documents and all that is known of it.
    pub async fn drop_view(&self, name: &str, version: u32) -> Result<(), StorageError> {
        check_name(name)?;
        match self.database() {
            Database::Postgres(postgres) => postgres.drop_view(name, version).await,
            Database::Sqlite(sqlite) => sqlite.views.drop_view(name, version).await,
        }
    }

    /// Drops the generations of a view that are neither live nor under construction. Whoever still reads one of them
    /// is told [`StorageError::Superseded`]. Says how many tables went.
    pub async fn drop_old_generations(&self, shape: &Shape) -> Result<usize, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.drop_old_generations(shape.name, shape.version).await,
            Database::Sqlite(sqlite) => sqlite.views.drop_old_generations(shape.name, shape.version).await,
        }
    }

    /// Every epoch of the log and the position after which it began, in order.
    pub async fn epochs(&self) -> Result<Vec<(String, u64)>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.epochs().await,
            Database::Sqlite(sqlite) => sqlite.epochs().await,
        }
    }
}
