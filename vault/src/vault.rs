//! The open vault.

use std::sync::Arc;

use storage::Store;

use crate::cipher::Key;
use crate::keyring::Keyring;
use crate::kind::Kind;
use crate::masters::Masters;
use crate::{MasterKey, VaultError};

/// The owner of the one key of the blind index.
const INDEX: &str = "index";

/// Keys of a database, and what they seal. Cheap to clone; one per process, because what it remembers of keys is.
#[derive(Debug, Clone)]
pub struct Vault(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    keyring: Keyring,
    index: Key,
}

impl Vault {
    /// Opens the vault of a database. The first master key that is brought becomes its own; any other one is refused.
    pub async fn open(store: Store, master: &MasterKey) -> Result<Self, VaultError> {
        let masters = Masters::open(&store, master).await?;
        let keyring = Keyring::new(store, masters);
        let (_, index) = keyring.newest_or_first(Kind::Blind, INDEX).await?;
        Ok(Self(Arc::new(Inner { keyring, index })))
    }

    /// Which master key everything is wrapped by, as far as this node knows.
    pub fn master_id(&self) -> Result<String, VaultError> {
        Ok(self.keyring().masters.known().active()?.id().to_owned())
    }

    pub(crate) fn store(&self) -> &Store {
        self.keyring().store()
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    pub(crate) fn index_key(&self) -> &Key {
        &self.0.index
    }
}
