//! Why a command did not happen.

use domain::{DecodeError, Fault, Refusal};
use storage::StorageError;
use vault::VaultError;
use vault::passwords::PasswordError;

use crate::authorize::Action;

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("you may not {}", .0.describe())]
    Denied(Action),
    /// A command in somebody else's name: a fault of ours, caught before it is recorded.
    #[error("the command names {named} as its author, but {actor} asked")]
    Impersonation { named: String, actor: String },
    /// If-Match named a version that is not the present one.
    #[error("version {expected} was expected, but the present one is {actual}")]
    Moved { expected: u64, actual: u64 },
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// The work whose outcome this is was given to another attempt.
    #[error("the outcome comes too late: the work is no longer claimed under this attempt")]
    Fenced,
    /// Others were faster, again and again.
    #[error("too many others changed the same thing at the same time; try again")]
    Contended,
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// More passwords are to be checked at once than there is room for.
    #[error("too many are signing in at once; try again in a few seconds")]
    Busy,
    /// The log holds an event that this binary cannot read.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
}

impl From<PasswordError> for CommandError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Vault(error) => Self::Vault(error),
            PasswordError::Busy => Self::Busy,
            PasswordError::Weak(weaknesses) => {
                let fault = |weakness: vault::passwords::Weakness| Fault::new("/password", weakness.to_string());
                Self::Refused(Refusal::Invalid(weaknesses.into_iter().map(fault).collect()))
            }
        }
    }
}
