//! What an operator sees of the queue, and does to it: lists, figures, retry and skip by hand, pauses.

mod postgres;
mod sqlite;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::legible;
use crate::database::Database;
use crate::{StorageError, Store};

/// Rows on one page of a list.
const PAGE: usize = 500;
/// Characters of a pause's reason.
const REASON_CHARS: usize = 500;
/// How a pause of everything is stored.
const EVERYTHING: &str = "*";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkState {
    /// Behind the head of its lane.
    Waiting,
    /// The head of its lane, to be claimed when it is due.
    Ready,
    Claimed,
    Done,
    /// Given up; a person may retry or skip it.
    Failed,
    /// Passed over by a person.
    Skipped,
}

impl WorkState {
    pub const ALL: [Self; 6] = [Self::Waiting, Self::Ready, Self::Claimed, Self::Done, Self::Failed, Self::Skipped];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Claimed => "claimed",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for WorkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for WorkState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let state = Self::ALL.into_iter().find(|state| state.as_str() == text);
        state.ok_or_else(|| format!("'{text}' is no state of work"))
    }
}

/// A piece of work as it is in the queue. Times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkRow {
    pub id: Uuid,
    pub kind: String,
    pub lane: String,
    pub priority: u8,
    pub payload: String,
    pub state: WorkState,
    pub attempt: i32,
    pub tries: i32,
    pub run_at_us: i64,
    pub lease_until_us: Option<i64>,
    pub last_error: Option<String>,
    pub created_position: u64,
    pub n: i32,
    /// When it was done, failed or skipped.
    pub finished_at_us: Option<i64>,
}

impl WorkRow {
    /// Where a list goes on after this row.
    pub fn cursor(&self) -> WorkCursor {
        let (key, n) = match (self.state, self.finished_at_us) {
            (WorkState::Done | WorkState::Skipped, Some(at)) => (at, 0),
            _ => (crate::events::columns::signed(self.created_position), self.n),
        };
        WorkCursor { key, n, id: self.id }
    }
}

/// A place in a list. It stays true while rows come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkCursor {
    key: i64,
    n: i32,
    id: Uuid,
}

impl fmt::Display for WorkCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.key, self.n, self.id.simple())
    }
}

impl FromStr for WorkCursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('_').collect();
        match parts[..] {
            [key, n, id] => (|| Some(Self { key: key.parse().ok()?, n: n.parse().ok()?, id: id.parse().ok()? }))(),
            _ => None,
        }
        .ok_or_else(|| format!("'{text}' is no cursor"))
    }
}

/// Which rows to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkFilter {
    /// None is everything that is open or has failed.
    pub state: Option<WorkState>,
    pub kind: Option<String>,
    pub lane: Option<String>,
}

/// A kind of work that nobody may claim; None is all kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    pub kind: Option<String>,
    pub reason: String,
    pub since_us: i64,
}

/// How much work of a kind is in a state, which is waiting, ready, claimed or failed.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkFigure {
    pub kind: String,
    pub state: WorkState,
    pub count: u64,
    /// For how long the oldest has been due; 0 when none is.
    pub oldest_due_seconds: f64,
}

impl Store {
    /// The rows that a filter lets through, newest first: by the event that asked for them, or, of those that are done or
    /// skipped, by when they were.
    pub async fn list_work(
        &self,
        filter: &WorkFilter,
        after: Option<WorkCursor>,
        limit: usize,
    ) -> Result<Vec<WorkRow>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.list_work(filter, after, limit.min(PAGE)).await,
            Database::Sqlite(sqlite) => sqlite.list_work(filter, after, limit.min(PAGE)).await,
        }
    }

    pub async fn work_row(&self, id: Uuid) -> Result<Option<WorkRow>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.work_row(id).await,
            Database::Sqlite(sqlite) => sqlite.work_row(id).await,
        }
    }

    /// What failed goes back to where it stood in its lane; a head that waits for a retry is due now. Either begins a new
    /// round of tries. False for anything else.
    pub async fn retry_by_hand(&self, id: Uuid) -> Result<bool, StorageError> {
        let done = match self.database() {
            Database::Postgres(postgres) => postgres.retry_by_hand(id).await?,
            Database::Sqlite(sqlite) => sqlite.retry_by_hand(id).await?,
        };
        self.wakeups().work();
        Ok(done)
    }

    /// Passes over work that is not claimed; its lane goes on. False when it is claimed, over, or not there.
    pub async fn skip_work(&self, id: Uuid) -> Result<bool, StorageError> {
        let done = match self.database() {
            Database::Postgres(postgres) => postgres.skip_work(id).await?,
            Database::Sqlite(sqlite) => sqlite.skip_work(id).await?,
        };
        self.wakeups().work();
        Ok(done)
    }

    /// From now on nobody claims work of a kind, or of any (None). What is claimed goes on, and nothing is lost.
    pub async fn pause_work(&self, kind: Option<&str>, reason: &str) -> Result<(), StorageError> {
        let (kind, reason) = (paused(kind)?, legible(reason, REASON_CHARS));
        match self.database() {
            Database::Postgres(postgres) => postgres.pause_work(kind, &reason).await,
            Database::Sqlite(sqlite) => sqlite.pause_work(kind, &reason).await,
        }
    }

    /// Ends the pause of a kind, or the one of all (None); a pause of the other sort stays.
    pub async fn resume_work(&self, kind: Option<&str>) -> Result<(), StorageError> {
        let kind = paused(kind)?;
        match self.database() {
            Database::Postgres(postgres) => postgres.resume_work(kind).await?,
            Database::Sqlite(sqlite) => sqlite.resume_work(kind).await?,
        }
        self.wakeups().work();
        Ok(())
    }

    /// What is paused, longest first.
    pub async fn work_pauses(&self) -> Result<Vec<Pause>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.work_pauses().await,
            Database::Sqlite(sqlite) => sqlite.work_pauses().await,
        }
    }

    /// How much is open or has failed, by kind and state. Costs as much as there is of that, however much is done.
    pub async fn work_figures(&self) -> Result<Vec<WorkFigure>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.work_figures().await,
            Database::Sqlite(sqlite) => sqlite.work_figures().await,
        }
    }
}

fn paused(kind: Option<&str>) -> Result<&str, StorageError> {
    match kind {
        None => Ok(EVERYTHING),
        Some(kind)
            if kind.is_empty() || kind == EVERYTHING || kind.contains('\0') || kind.len() > super::NAME_BYTES =>
        {
            Err(StorageError::Rejected(format!("'{}' is no kind of work", legible(kind, 50))))
        }
        Some(kind) => Ok(kind),
    }
}

/// A pause as it is stored.
fn pause(kind: String, reason: String, since_us: i64) -> Pause {
    Pause { kind: Some(kind).filter(|kind| kind != EVERYTHING), reason, since_us }
}

/// As it is stored; the databases check that it is one.
pub(super) fn priority(stored: i16) -> u8 {
    u8::try_from(stored).unwrap_or_default()
}

fn state(word: &str) -> Result<WorkState, StorageError> {
    word.parse().map_err(StorageError::Incompatible)
}

#[cfg(test)]
mod tests {
    use super::{Uuid, WorkCursor, WorkState};

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let cursor = WorkCursor { key: -7, n: 3, id: Uuid::from_u128(9) };
        assert_eq!(cursor.to_string().parse::<WorkCursor>().unwrap(), cursor);
        for wrong in ["", "1", "1_2", "1_2_x", "x_2_00000000000000000000000000000009", "1_2_3_4"] {
            assert!(wrong.parse::<WorkCursor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_state_reads_back() {
        for state in WorkState::ALL {
            assert_eq!(state.to_string().parse::<WorkState>().unwrap(), state);
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
        assert!("asleep".parse::<WorkState>().is_err());
    }
}
