//! The views of a process: started together, watched over, waited for and read.

use std::sync::Arc;
use std::time::Duration;

use storage::documents::{Found, Query, Stored, Table};
use storage::{StorageError, Store};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::feed::Feed;
use crate::progress::{Phase, Progress, Standing};
use crate::registry::Registration;
use crate::{ReadError, View};

/// How often a read that met a table on its way out is tried again.
const READS: usize = 5;
const SETTLED_WITHIN: Duration = Duration::from_secs(1);

/// Cheap to clone. The views stop when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Views(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    kept: Vec<One>,
}

#[derive(Debug)]
struct One {
    progress: Arc<Progress>,
    task: JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        for one in &self.kept {
            one.task.abort();
        }
    }
}

/// A view has not come as far as somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    pub position: u64,
}

impl Views {
    /// Starts to follow the log with each view. `me` tells this process from others.
    pub fn start(feed: &Feed, me: Uuid, views: &[Registration]) -> Self {
        let store = feed.store();
        let start = |view: &Registration| {
            let progress = Arc::new(Progress::new(view.name, view.version));
            let task = tokio::spawn((view.follow)(store.clone(), feed.clone(), me, progress.clone()));
            One { progress, task }
        };
        Self(Arc::new(Inner { store: store.clone(), kept: views.iter().map(start).collect() }))
    }

    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Where each view stands.
    pub fn standings(&self) -> Vec<Standing> {
        self.0.kept.iter().map(|one| one.progress.standing()).collect()
    }

    pub fn standing(&self, name: &str) -> Option<Standing> {
        self.one(name).map(|one| one.progress.standing())
    }

    fn one(&self, name: &str) -> Option<&One> {
        self.0.kept.iter().find(|one| one.progress.standing().name == name)
    }

    /// Waits until a view has folded everything up to `position`, for as long as `patience` lasts; not for a view that
    /// stands still until somebody does something about it.
    pub async fn reach(&self, name: &str, position: u64, patience: Duration) -> Result<(), Behind> {
        let Some(one) = self.one(name) else { return Err(Behind { position: 0 }) };
        let mut watch = one.progress.watch();
        let there = |standing: &Standing| standing.position >= position;
        let over = |standing: &Standing| there(standing) || standing.halt.is_some() || standing.paused;
        match timeout_at(Instant::now() + patience, watch.wait_for(over)).await {
            Ok(Ok(standing)) if there(&standing) => return Ok(()),
            Ok(_) | Err(_) => {}
        }
        Err(Behind { position: one.progress.standing().position })
    }

    /// The document under a key, as it is stored, and the position up to which the view was folded at least.
    pub async fn find<V: View>(&self, key: &str) -> Result<(Option<Stored>, u64), ReadError> {
        let (mut found, position) = self.find_all::<V>(&[key.to_owned()]).await?;
        Ok((found.pop(), position))
    }

    /// The documents that there are under some keys, in no order, and the position as above.
    pub async fn find_all<V: View>(&self, keys: &[String]) -> Result<(Vec<Stored>, u64), ReadError> {
        self.read::<V, _, _>(|table| async move { self.store().load_documents(&table, keys).await }).await
    }

    /// The documents that a query finds, and the position up to which the view was folded at least.
    pub async fn query<V: View>(&self, query: &Query) -> Result<(Vec<Found>, u64), ReadError> {
        self.read::<V, _, _>(|table| async move { self.store().query_documents(&table, query).await }).await
    }

    /// How many documents there are in each group that a view counts: what is counted, the group, the number.
    pub async fn counts<V: View>(&self) -> Result<(Vec<(String, String, i64)>, u64), ReadError> {
        self.read::<V, _, _>(|table| async move { self.store().view_counts(&table).await }).await
    }

    /// Reads from the live table, and again from the next one when it was on its way out.
    async fn read<V, T, F>(&self, read: impl Fn(Table) -> F) -> Result<(T, u64), ReadError>
    where
        V: View,
        F: Future<Output = Result<T, StorageError>>,
    {
        for _ in 0..READS {
            let (table, position) = self.readable::<V>()?;
            match read(table.clone()).await {
                Ok(found) => return Ok((found, position)),
                Err(StorageError::Superseded(_)) => self.settle::<V>(&table).await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(ReadError::NotBuilt { view: V::NAME })
    }

    /// The table to read, and its position before the read: what is read holds at least that much.
    fn readable<V: View>(&self) -> Result<(Table, u64), ReadError> {
        let standing = self.standing(V::NAME).ok_or(ReadError::NotBuilt { view: V::NAME })?;
        match standing.table {
            Some(table) if standing.phase == Phase::Live => Ok((table, standing.position)),
            _ => Err(ReadError::NotBuilt { view: V::NAME }),
        }
    }

    /// Waits until a view is read from another table.
    async fn settle<V: View>(&self, old: &Table) {
        let Some(one) = self.one(V::NAME) else { return };
        let mut watch: watch::Receiver<Standing> = one.progress.watch();
        let other =
            |standing: &Standing| standing.table.as_ref().is_some_and(|table| table.generation() != old.generation());
        let _either = timeout_at(Instant::now() + SETTLED_WITHIN, watch.wait_for(other)).await;
    }
}
