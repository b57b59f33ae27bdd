//! What an operator sees of the views in a database, whichever processes run them, and how he leads one past an event.

use storage::documents::{ParkedDocuments, ViewRow};
use storage::{StorageError, Store};

use crate::registry::{self, Registration};

/// Parked documents that are named; all are counted.
const NAMED: usize = 10;
/// Parked documents looked at when an event is to be skipped.
const LOOKED_AT: usize = 1_000;

/// A view as it stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overseen {
    pub row: ViewRow,
    /// Events in the log that are not in it.
    pub behind: u64,
    /// Whether another generation is being built.
    pub building: bool,
    /// Whether this binary has this version of it. Another may: then nothing is known of its documents here.
    pub known: bool,
    pub parked: ParkedDocuments,
}

impl Overseen {
    /// In one word.
    pub fn state(&self) -> &'static str {
        match self {
            Self { row: ViewRow { halt: Some(_), .. }, .. } => "halted",
            Self { row: ViewRow { paused: true, .. }, .. } => "paused",
            // Not to be read before it is there.
            Self { building: true, row: ViewRow { position: 0, .. }, .. } => "building",
            Self { known: false, .. } => "other binary",
            _ => "live",
        }
    }
}

/// What came of a wish to skip an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// The view that stood before it goes on.
    GoesOn,
    /// It is noted. A pause is still to be ended, or a document to be folded again.
    Noted,
    /// Neither the view nor one of its documents has stopped there; skipping it would make a rebuild differ.
    NothingStopped,
}

/// All views in all versions that there are, by name.
pub async fn all(store: &Store) -> Result<Vec<Overseen>, StorageError> {
    let (head, builds) = (store.head().await?, store.view_builds().await?);
    let mut all = Vec::new();
    for row in store.view_rows().await? {
        let known = registry::view(&row.name).filter(|view| view.version == row.version);
        let parked = match known {
            Some(view) => store.parked_documents(&store.open_view(&(view.shape)()).await?.0, NAMED).await?,
            None => ParkedDocuments::default(),
        };
        all.push(Overseen {
            behind: head.saturating_sub(row.position),
            building: builds.iter().any(|build| (&build.name, build.version) == (&row.name, row.version)),
            known: known.is_some(),
            parked,
            row,
        });
    }
    Ok(all)
}

/// This binary's version of a view, once it was opened.
pub async fn one(store: &Store, view: &Registration) -> Result<Option<Overseen>, StorageError> {
    let all = all(store).await?;
    Ok(all.into_iter().find(|one| (one.row.name.as_str(), one.row.version) == (view.name, view.version)))
}

/// Leads a view past the event that it, or one of its documents, has stopped at.
pub async fn skip(store: &Store, view: &Registration, position: u64, why: &str) -> Result<Skipped, StorageError> {
    let (table, row) = store.open_view(&(view.shape)()).await?;
    let halted = row.halt.is_some_and(|halt| halt.position == position);
    let parked = store.parked_documents(&table, LOOKED_AT).await?;
    if !halted && parked.first.iter().all(|(_, parked)| parked.at != position) {
        return Ok(Skipped::NothingStopped);
    }
    store.skip_event(view.name, view.version, position, why).await?;
    if halted && !row.paused {
        store.resume_view(view.name, view.version).await?;
        return Ok(Skipped::GoesOn);
    }
    Ok(Skipped::Noted)
}
