//! Doing one kind of work, and saying what came of it: a worker says retry or fail, never just an error.

use std::time::Duration;

use commands::{CommandError, Request};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use storage::StorageError;
use storage::work::Claimed;

use crate::cause::Envelope;

/// Attempts at one piece of work, unless its worker says otherwise. With the waits between them about two hours.
const ATTEMPTS: i32 = 20;
/// What one run may take, unless its worker says otherwise.
const TIME: Duration = Duration::from_mins(1);

pub trait Worker: Send + Sync + 'static {
    /// Stored with the work. Never changes.
    fn kind(&self) -> &'static str;

    /// Does it once. May be dropped at any await, and may run twice at once when it is late: what it does outside
    /// carries the work's id as its key, what it tells carries the claim.
    fn run(&self, assignment: Assignment) -> BoxFuture<'_, Outcome>;

    /// After so many attempts a retry is a failure.
    fn attempts(&self) -> i32 {
        ATTEMPTS
    }

    /// A run that takes longer is cut off and tried again.
    fn time(&self) -> Duration {
        TIME
    }
}

/// A piece of work that is claimed by this process.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// Without its payload, which stands beside it.
    pub work: Claimed,
    /// As the reactor gave it.
    pub payload: Value,
    /// For the command that tells the outcome: recorded with the closing of the work, or fenced.
    pub request: Request,
}

impl Assignment {
    /// Of a row that a reactor asked for.
    pub fn new(mut work: Claimed) -> Result<Self, Outcome> {
        let Envelope { cause, payload } = serde_json::from_str(&std::mem::take(&mut work.payload))
            .map_err(|error| Outcome::Fail { error: format!("this is not work of a reactor: {error}") })?;
        Ok(Self { request: cause.request(work.claim), work, payload })
    }

    /// When it was claimed, by the database's clock.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.work.claimed_at_us).unwrap_or_default()
    }

    /// The payload as what it must be. What cannot be read will never be: that fails.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Outcome> {
        T::deserialize(&self.payload)
            .map_err(|error| Outcome::Fail { error: format!("the payload cannot be read: {error}") })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done, and there is nothing to tell.
    Done,
    /// The outcome stands in the log, and closed the work.
    Told,
    /// Too late: the work was given to another attempt meanwhile.
    Fenced,
    Retry {
        /// None: longer after each attempt, from one second to ten minutes.
        after: Option<Duration>,
        error: String,
    },
    /// It will never work; a person must look at it.
    Fail { error: String },
}

impl Outcome {
    /// What came of the command that tells the outcome, or found that there is none.
    pub fn of(result: Result<commands::Outcome, CommandError>) -> Self {
        match result {
            Ok(outcome) if outcome.changed => Self::Told,
            Ok(_) => Self::Done,
            Err(CommandError::Fenced) => Self::Fenced,
            Err(error) if may_pass(&error) => Self::Retry { after: None, error: error.to_string() },
            Err(error) => Self::Fail { error: error.to_string() },
        }
    }
}

fn may_pass(error: &CommandError) -> bool {
    match error {
        CommandError::Storage(StorageError::Rejected(_))
        | CommandError::Refused(_)
        | CommandError::Denied(_)
        | CommandError::Impersonation { .. }
        | CommandError::Moved { .. }
        | CommandError::KeyReused
        | CommandError::Fenced => false,
        CommandError::Vault(error) => error.is_transient(),
        // An event that cannot be read may be a newer binary's: this one is replaced soon.
        CommandError::Storage(_) | CommandError::Contended | CommandError::Busy | CommandError::Undecodable(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use commands::CommandError;
    use domain::Refusal;
    use storage::StorageError;

    use super::Outcome;

    #[test]
    fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
        let of = |error: CommandError| Outcome::of(Err(error));
        let refusal = || Refusal::state("resolved", "it is over");
        assert!(matches!(of(refusal().into()), Outcome::Fail { error } if error == "it is over"));
        assert_eq!(of(CommandError::Fenced), Outcome::Fenced);
        for passing in [
            CommandError::Contended,
            StorageError::Unavailable("x".to_owned()).into(),
            StorageError::Unknown("x".to_owned()).into(),
            StorageError::Full("x".to_owned()).into(),
        ] {
            assert!(matches!(of(passing), Outcome::Retry { after: None, .. }));
        }
        assert!(matches!(of(StorageError::Rejected("x".to_owned()).into()), Outcome::Fail { .. }));
    }
}
