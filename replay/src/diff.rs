//! A view built anew up to where the live one stands, and compared with it: documents, columns, terms, counts.
//!
//! The live view goes on meanwhile. What has moved on beyond the moment of comparison says nothing and is only counted.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use projections::build::{BuildError, Built};
use projections::registry::Registration;
use storage::documents::{Document, Table};
use storage::{StorageError, Store};

use crate::compare::{Documents, Pair, next, parts};
use crate::patience::within;

/// Differences that are named; all are counted.
pub const SHOWN: usize = 100;
/// How long to wait for a moment at which the view does not move while its counts are read.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub view: &'static str,
    /// Up to where both were folded.
    pub position: u64,
    /// Documents that were compared.
    pub documents: u64,
    /// Documents of the live view that hold later events already.
    pub moved_on: u64,
    /// How many things differ.
    pub differing: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A document of the log that the live view lacks.
    Missing {
        key: String,
    },
    /// A document of the live view that does not follow from the log.
    Foreign {
        key: String,
    },
    Document {
        key: String,
        parts: Vec<Part>,
    },
    Count(Counted),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Body,
    Columns,
    Terms,
    Position,
    Parked,
}

/// The number of documents in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub grouping: String,
    pub value: String,
    pub live: i64,
    pub built: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("the view moves too fast to be looked at; pause it for a moment, or try again")]
    Restless,
    #[error("the view stands at {position}, beyond the end of the log at {head}: it is of another history")]
    AheadOfTheLog { position: u64, head: u64 },
}

impl From<StorageError> for DiffError {
    fn from(error: StorageError) -> Self {
        Self::Build(error.into())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Body => "body",
            Self::Columns => "columns",
            Self::Terms => "terms",
            Self::Position => "position",
            Self::Parked => "parked",
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { key } => write!(f, "{key}: missing"),
            Self::Foreign { key } => write!(f, "{key}: does not follow from the log"),
            Self::Document { key, parts } => {
                let parts: Vec<String> = parts.iter().map(Part::to_string).collect();
                write!(f, "{key}: {}", parts.join(", "))
            }
            Self::Count(Counted { grouping, value, live, built }) => {
                write!(f, "count of {grouping} '{value}': {live}, should be {built}")
            }
        }
    }
}

/// The live view at a moment at which it stood still.
struct Still {
    table: Table,
    position: u64,
    counts: Counts,
}

type Counts = BTreeMap<(String, String), i64>;

/// Compares a live view with one built from the log.
pub async fn diff(
    store: &Store,
    view: &Registration,
    observer: &mut (dyn FnMut(Built) + Send),
) -> Result<Report, DiffError> {
    let still = still(store, view).await?;
    let head = store.head().await?;
    if still.position > head {
        return Err(DiffError::AheadOfTheLog { position: still.position, head });
    }
    let (built, _) = view.generation(store, still.position, observer).await?;
    let report = compared(store, view, &still, &built).await;
    if let Err(error) = store.abandon_build(&built).await {
        tracing::warn!(view = view.name, %error, "the generation that was compared stays until the next build");
    }
    report
}

/// Counts belong to a position only if the view did not move while they were read.
async fn still(store: &Store, view: &Registration) -> Result<Still, DiffError> {
    within(PATIENCE, async || look(store, view).await).await?.ok_or(DiffError::Restless)
}

/// None: it has moved meanwhile, or its table was replaced.
async fn look(store: &Store, view: &Registration) -> Result<Option<Still>, StorageError> {
    let (table, before) = store.open_view(&(view.shape)()).await?;
    let counts = match counts(store, &table).await {
        Err(StorageError::Superseded(_)) => return Ok(None),
        counts => counts?,
    };
    let after = store.view_row(view.name, view.version).await?;
    let same = after.is_some_and(|row| (row.position, row.generation) == (before.position, before.generation));
    Ok(same.then_some(Still { table, position: before.position, counts }))
}

async fn counts(store: &Store, table: &Table) -> Result<Counts, StorageError> {
    let counts = store.view_counts(table).await?;
    Ok(counts.into_iter().map(|(grouping, value, n)| ((grouping, value), n)).collect())
}

async fn compared(store: &Store, view: &Registration, still: &Still, built: &Table) -> Result<Report, DiffError> {
    let mut report = Report {
        view: view.name,
        position: still.position,
        documents: 0,
        moved_on: 0,
        differing: 0,
        differences: Vec::new(),
    };
    let (mut ours, mut theirs) = (Documents::of(store, &still.table), Documents::of(store, built));
    while let Some(pair) = next(&mut ours, &mut theirs).await? {
        match pair {
            Pair::Live(live) if is_beyond(&live, still.position) => report.moved_on += 1,
            Pair::Both(live, _) if is_beyond(&live, still.position) => report.moved_on += 1,
            Pair::Live(live) => report.differs(Difference::Foreign { key: live.key }),
            Pair::Built(built) => report.differs(Difference::Missing { key: built.key }),
            Pair::Both(live, built) => {
                report.documents += 1;
                let parts = parts(&live, &built);
                if !parts.is_empty() {
                    report.differs(Difference::Document { key: live.key, parts });
                }
            }
        }
    }
    report.count(&still.counts, &counts(store, built).await?);
    Ok(report)
}

/// Whether a document has been touched by something later than the moment of comparison.
fn is_beyond(document: &Document, position: u64) -> bool {
    document.position > position || document.parked.as_ref().is_some_and(|parked| parked.at > position)
}

impl Report {
    fn differs(&mut self, difference: Difference) {
        self.differing += 1;
        if self.differences.len() < SHOWN {
            self.differences.push(difference);
        }
    }

    fn count(&mut self, live: &Counts, built: &Counts) {
        let mut groups: Vec<&(String, String)> = live.keys().chain(built.keys()).collect();
        groups.sort();
        groups.dedup();
        for group in groups {
            let of = |counts: &Counts| counts.get(group).copied().unwrap_or_default();
            let (live, built) = (of(live), of(built));
            if live != built {
                let (grouping, value) = group.clone();
                self.differs(Difference::Count(Counted { grouping, value, live, built }));
            }
        }
    }
}
