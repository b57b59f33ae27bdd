//! What sealing and signing in need, in one hand.

use storage::Store;
use vault::passwords::Passwords;
use vault::throttle::Throttle;
use vault::{MasterKey, Vault};

use crate::CommandError;

/// Cheap to clone; one per process.
#[derive(Debug, Clone)]
pub struct Keys {
    pub vault: Vault,
    pub passwords: Passwords,
    pub throttle: Throttle,
}

impl Keys {
    /// Refused where the database was last used with another master key.
    pub async fn open(store: &Store, master: &MasterKey) -> Result<Self, CommandError> {
        let vault = Vault::open(store.clone(), master).await?;
        let passwords = Passwords::open(&vault).await?;
        Ok(Self { passwords, throttle: Throttle::new(&vault), vault })
    }
}
