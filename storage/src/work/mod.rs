//! The work queue: what is to be done about events. A row is claimed under an attempt for the time of a lease, and its
//! outcome counts only while that claim holds; whoever is late is fenced.
//!
//! Work in one lane is done one at a time, in order of `(created_position, n)`. Each lane with open work has one head,
//! ready or claimed, and the others wait behind it: a head that is due later holds its lane back, one that failed for
//! good does not. Between lanes the head that has been due for longest comes first, with a head start of a minute for
//! each priority; so a lane can be overtaken, and never for long.

pub mod operate;
mod postgres;
pub mod reactors;
mod sqlite;

pub use operate::{Pause, WorkCursor, WorkFigure, WorkFilter, WorkRow, WorkState};
pub(crate) use sqlite::PROMOTE;

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use crate::database::Database;
use crate::{StorageError, Store};

/// Rows that go into the queue in one call.
const ADDED_AT_ONCE: usize = 500;
/// Rows that a claim takes at most.
const CLAIMED_AT_ONCE: usize = 1_000;
/// Claims that one call ends or extends.
pub(crate) const ENDED_AT_ONCE: usize = 1_000;
/// The highest priority.
const HIGHEST: u8 = 9;
/// Bytes of a kind or of a lane, which are keys of indexes.
const NAME_BYTES: usize = 500;
/// Characters that are kept of what went wrong.
const ERROR_CHARS: usize = 2_000;
/// Leases and delays at most: beyond, the databases' arithmetic ends.
const LONGEST: Duration = Duration::from_hours(24 * 366);

/// The right to tell the outcome of a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claim {
    pub work_id: Uuid,
    /// How many times the work has been claimed, by this claim too. It fences; what may fail is counted in tries.
    pub attempt: i32,
}

/// Work on its way into the queue. Its id is derived from the event that asks for it: adding it twice adds it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWork {
    pub id: Uuid,
    pub kind: String,
    /// Work in one lane is done one at a time, in order of `(created_position, n)`.
    pub lane: String,
    /// 0 to 9; each is worth a minute over other lanes.
    pub priority: u8,
    /// JSON text.
    pub payload: String,
    /// Microseconds since 1970; None is at once.
    pub run_at_us: Option<i64>,
    pub created_position: u64,
    pub n: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub claim: Claim,
    /// How often it was tried before, and ended in a retry or a failure; since it was last retried by hand.
    pub tries: i32,
    /// How many claims in a row, just before this one, came to no end.
    pub lost: i32,
    pub kind: String,
    pub lane: String,
    pub payload: String,
    pub priority: u8,
    pub created_position: u64,
    pub n: i32,
    /// Since when it has been due.
    pub run_at_us: i64,
    /// When it was claimed, by the database's clock.
    pub claimed_at_us: i64,
}

impl Claimed {
    /// What claims go by, over all lanes.
    fn order(&self) -> (i64, u64, i32, Uuid) {
        let rank = self.run_at_us - i64::from(self.priority) * 60_000_000;
        (rank, self.created_position, self.n, self.claim.work_id)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// This call ended the claim.
    Closed,
    /// The claim did not hold any more: somebody else has the work, or it is over.
    Fenced,
}

/// What becomes of claimed work.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub(crate) claim: Claim,
    /// `Done` or `Failed`, or `Ready` to be claimed again.
    pub(crate) state: WorkState,
    pub(crate) error: Option<String>,
    /// When it is due again; None leaves that as it was.
    pub(crate) after: Option<Duration>,
}

impl Ending {
    fn new(claim: Claim, state: WorkState) -> Self {
        Self { claim, state, error: None, after: None }
    }

    pub(crate) fn is_claimable_again(&self) -> bool {
        self.state == WorkState::Ready
    }

    fn telling(self, error: &str) -> Self {
        Self { error: Some(legible(error, ERROR_CHARS)), ..self }
    }
}

/// The claims that a call ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) ids: HashSet<Uuid>,
    /// How many rows became heads of their lanes by it.
    pub(crate) promoted: u64,
}

impl Store {
    /// Adds what is not there yet.
    pub async fn add_work(&self, work: &[NewWork]) -> Result<(), StorageError> {
        check(work)?;
        for part in work.chunks(ADDED_AT_ONCE) {
            match self.database() {
                Database::Postgres(postgres) => postgres.add_work(part).await?,
                Database::Sqlite(sqlite) => sqlite.add_work(part).await?,
            }
            self.wakeups().work();
        }
        Ok(())
    }

    /// Claims up to `limit` rows of these kinds for `lease`: heads of lanes that are due, and those whose lease ran out.
    pub async fn claim_work(
        &self,
        kinds: &[&str],
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StorageError> {
        let (limit, lease) = (limit.min(CLAIMED_AT_ONCE), lease.min(LONGEST));
        let mut claimed = match self.database() {
            Database::Postgres(postgres) => postgres.claim_work(kinds, limit, lease).await?,
            Database::Sqlite(sqlite) => sqlite.claim_work(kinds, limit, lease).await?,
        };
        claimed.sort_by_key(Claimed::order);
        Ok(claimed)
    }

    /// Extends the claims that still hold to `lease` from now, and returns those.
    pub async fn extend_work(&self, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>, StorageError> {
        let mut held = Vec::with_capacity(claims.len());
        for part in claims.chunks(ENDED_AT_ONCE) {
            held.extend(match self.database() {
                Database::Postgres(postgres) => postgres.extend_work(part, lease.min(LONGEST)).await?,
                Database::Sqlite(sqlite) => sqlite.extend_work(part, lease.min(LONGEST)).await?,
            });
        }
        Ok(held)
    }

    /// Closes work whose outcome is no event. Where it is one, the append closes it: see [`crate::Append::claim`].
    pub async fn finish_work(&self, claim: Claim) -> Result<Closing, StorageError> {
        self.closer().end(Ending::new(claim, WorkState::Done)).await
    }

    /// Gives work back that did not succeed, due again after a while. Its lane waits for it.
    pub async fn retry_work(&self, claim: Claim, after: Duration, error: &str) -> Result<Closing, StorageError> {
        let ending = Ending { after: Some(after.min(LONGEST)), ..Ending::new(claim, WorkState::Ready) };
        self.closer().end(ending.telling(error)).await
    }

    /// Gives work up. Its lane goes on; a person may retry it.
    pub async fn fail_work(&self, claim: Claim, error: &str) -> Result<Closing, StorageError> {
        self.closer().end(Ending::new(claim, WorkState::Failed).telling(error)).await
    }

    /// Gives back what was claimed and not begun, due as it was. No try is spent, but the attempt is: no claim is given
    /// twice.
    pub async fn release_work(&self, claims: &[Claim]) -> Result<(), StorageError> {
        let endings: Vec<Ending> = claims.iter().map(|claim| Ending::new(*claim, WorkState::Ready)).collect();
        for part in endings.chunks(ENDED_AT_ONCE) {
            self.database().end_claims(part).await?;
        }
        self.wakeups().work();
        Ok(())
    }

    /// How long until the next head of these kinds is due, or a lease ends; None when there is neither.
    pub async fn next_work(&self, kinds: &[&str]) -> Result<Option<Duration>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.next_work(kinds).await,
            Database::Sqlite(sqlite) => sqlite.next_work(kinds).await,
        }
    }

    /// Raised when there may be work to claim, because of this node or of another. A hint: polling must suffice.
    pub fn work_news(&self) -> watch::Receiver<u64> {
        self.wakeups().subscribe_to_work()
    }
}

impl Database {
    /// Each work once at most.
    pub(crate) async fn end_claims(&self, endings: &[Ending]) -> Result<Ended, StorageError> {
        match self {
            Self::Postgres(postgres) => postgres.end_claims(endings).await,
            Self::Sqlite(sqlite) => sqlite.end_claims(endings).await,
        }
    }
}

/// What one of the databases might take, or what would cost a whole batch its place.
fn check(work: &[NewWork]) -> Result<(), StorageError> {
    let wrong = |new: &NewWork, what: &str| Err(StorageError::Rejected(format!("work {}: {what}", new.id)));
    for new in work {
        if new.priority > HIGHEST {
            return wrong(new, "a priority goes from 0 to 9");
        }
        if [&new.kind, &new.lane].iter().any(|name| name.is_empty() || name.len() > NAME_BYTES || name.contains('\0')) {
            return wrong(new, "a kind and a lane have 1 to 500 bytes, and none of them is NUL");
        }
    }
    Ok(())
}

/// `text` as both databases keep it, cut to so many characters.
fn legible(text: &str, chars: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::legible;

    #[test]
    fn what_went_wrong_is_cut_between_characters() {
        assert_eq!(legible("ä\0öü", 2), "äö");
        assert_eq!(legible("short", 2_000), "short");
    }
}
