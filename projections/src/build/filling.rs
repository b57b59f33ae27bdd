//! Writing what is folded while more is folded.

use std::mem;

use storage::documents::Table;
use storage::{StorageError, Store};
use tokio::task::JoinHandle;

use crate::fold::Folded;

/// Documents written at once, and the bytes after which they are.
const DOCUMENTS: usize = 4_000;
const BYTES: usize = 8 << 20;

/// What is folded, on its way into the table while more is folded.
pub(super) struct Filling {
    store: Store,
    table: Table,
    ready: Folded,
    bytes: usize,
    /// One at a time: memory is bounded by what it writes and what is ready.
    under_way: Option<JoinHandle<Result<(), StorageError>>>,
}

impl Filling {
    pub(super) fn new(store: &Store, table: &Table) -> Self {
        Self { store: store.clone(), table: table.clone(), ready: Folded::default(), bytes: 0, under_way: None }
    }

    pub(super) async fn add(&mut self, folded: Folded) -> Result<(), StorageError> {
        self.bytes += folded.documents.iter().map(|document| document.body.len()).sum::<usize>();
        self.ready.documents.extend(folded.documents);
        self.ready.counts.extend(folded.counts);
        if self.ready.documents.len() < DOCUMENTS && self.bytes < BYTES {
            return Ok(());
        }
        self.begin().await
    }

    async fn begin(&mut self) -> Result<(), StorageError> {
        self.written().await?;
        let (store, table) = (self.store.clone(), self.table.clone());
        let Folded { documents, counts, .. } = mem::take(&mut self.ready);
        self.bytes = 0;
        self.under_way = Some(tokio::spawn(async move { store.fill(&table, &documents, &[], &counts).await }));
        Ok(())
    }

    async fn written(&mut self) -> Result<(), StorageError> {
        match self.under_way.take() {
            Some(task) => task.await.map_err(|error| StorageError::Unavailable(error.to_string()))?,
            None => Ok(()),
        }
    }

    /// Writes what is left.
    pub(super) async fn end(&mut self) -> Result<(), StorageError> {
        self.begin().await?;
        self.written().await
    }
}
