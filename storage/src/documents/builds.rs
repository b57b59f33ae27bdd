//! Generations under construction: filled in bulk beside the live one, caught up by commits, then put in its place.
//!
//! ```text
//! begin_build → fill … fill → finish_build → commit_build … → promote_build
//! ```
//!
//! The latest build of a view is the only one: whoever works on an earlier one is told [`StorageError::Superseded`].

use super::{BuildRow, Commit, CountDelta, Document, Shape, Table, Touch, table};
use crate::database::Database;
use crate::{StorageError, Store};

impl Store {
    /// A new generation, at position 0, without indexes, but for the key's where touches are kept: only there documents
    /// may be committed before the build is finished. Drops every other generation but the live one.
    pub async fn begin_build(&self, shape: &Shape) -> Result<Table, StorageError> {
        self.open_view(shape).await?;
        let epoch = self.epoch().await?;
        let generation = match self.database() {
            Database::Postgres(postgres) => postgres.begin_build(shape, &epoch).await?,
            Database::Sqlite(sqlite) => sqlite.views.begin_build(shape, &epoch).await?,
        };
        if let Err(error) = self.drop_old_generations(shape).await {
            // Somebody still reads them: the next build will drop them.
            tracing::warn!(view = shape.name, %error, "old generations stay");
        }
        Ok(Table::new(shape, generation))
    }

    /// Adds documents, touches and counts to a build that is not finished: each document and each touch once in all
    /// calls. Not to be repeated after an error, which may hide a success; begin another build then.
    pub async fn fill(
        &self,
        table: &Table,
        documents: &[Document],
        touches: &[Touch],
        counts: &[CountDelta],
    ) -> Result<(), StorageError> {
        table::check_documents(table, documents)?;
        match self.database() {
            Database::Postgres(postgres) => postgres.fill(table, documents, touches, counts).await,
            Database::Sqlite(sqlite) => sqlite.views.fill(table, documents, touches, counts).await,
        }
    }

    /// Makes the indexes of a build, and records that its documents are folded up to `position`. Not to be repeated after
    /// an error either.
    pub async fn finish_build(&self, table: &Table, position: u64) -> Result<(), StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.finish_build(table, position).await,
            Database::Sqlite(sqlite) => sqlite.views.finish_build(table, position).await,
        }
    }

    /// As [`Store::commit_documents`] for a build. False, and nothing written, when it does not stand at `commit.from`.
    pub async fn commit_build(&self, table: &Table, commit: &Commit<'_>) -> Result<bool, StorageError> {
        table::check_documents(table, commit.documents)?;
        let done = match self.database() {
            Database::Postgres(postgres) => postgres.commit_build(table, commit).await?,
            Database::Sqlite(sqlite) => sqlite.views.commit_build(table, commit).await?,
        };
        let is_it = |build: &BuildRow| {
            (build.name.as_str(), build.version, build.generation)
                == (table.name(), table.version(), table.generation())
        };
        if !done && !self.view_builds().await?.iter().any(is_it) {
            return Err(table.superseded());
        }
        Ok(done)
    }

    /// Puts a finished build, which stands at `position`, in the place of the live generation, and clears a halt.
    /// False, and nothing done, when the live one is further in the same epoch, or the build stands elsewhere.
    ///
    /// The old generation stays for those who read it, until the next build or [`Store::drop_old_generations`].
    pub async fn promote_build(&self, table: &Table, position: u64) -> Result<bool, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.promote_build(table, position).await,
            Database::Sqlite(sqlite) => sqlite.views.promote_build(table, position).await,
        }
    }

    pub async fn abandon_build(&self, table: &Table) -> Result<(), StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.abandon_build(table).await,
            Database::Sqlite(sqlite) => sqlite.views.abandon_build(table).await,
        }
    }
}
