//! What can go wrong in the vault. No text of these holds a secret.

use storage::StorageError;

#[derive(Debug, Clone, thiserror::Error)]
pub enum VaultError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What was given as a master key is none.
    #[error("{0}")]
    Master(String),
    #[error(
        "the keys in this database are wrapped by master key {wanted}, and the one given is {given}; set \
         PAGEFREE_MASTER_KEY, or put back the key file, to the key that the database was last used with"
    )]
    WrongMaster { wanted: String, given: String },
    #[error(
        "the master key {given} was retired when the keys were rewrapped by {wanted}; start this node with the new one"
    )]
    RetiredMaster { wanted: String, given: String },
    /// Another rotation has not ended, or it has nothing to do.
    #[error("{0}")]
    Rotation(String),
    /// The person's keys were destroyed, and no new one is ever made for him.
    #[error("{0} was erased, and nothing is sealed for an erased person")]
    Erased(String),
    /// What is to be sealed, or whose it is, is out of bounds.
    #[error("{0}")]
    OutOfBounds(String),
    /// A box that does not open: changed, cut, or moved to another person or field; or a key that is not kept.
    #[error("{0}")]
    Damaged(String),
    #[error("no randomness: {0}")]
    Random(String),
    /// Two nodes changed the same register again and again.
    #[error("{0} was changed by others each time; try again")]
    Contended(String),
}

impl VaultError {
    /// Whether the same call may succeed later, unchanged.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Storage(error) => error.is_transient(),
            Self::Contended(_) | Self::Random(_) => true,
            _ => false,
        }
    }
}
