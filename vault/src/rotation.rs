//! Changing the master key while everything runs: hand over, rewrap, give every node the new key, retire the old one.

use crate::{MasterKey, Vault, VaultError};

/// How often handing over is tried again because others changed the ring first.
const ATTEMPTS: u32 = 5;

/// What a rotation has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewrapped {
    /// Owners whose keys this call rewrapped.
    pub owners: u64,
}

impl Vault {
    /// Makes `new` the master key and rewraps every key by it. From the first moment nodes may be started with either
    /// key, and those that run go on; until [`Vault::retire_old_master`], which comes when every node has the new one. Cut
    /// short anywhere, the same call goes on where it was.
    pub async fn rotate_master(&self, new: &MasterKey) -> Result<Rewrapped, VaultError> {
        self.hand_over(new).await?;
        Ok(Rewrapped { owners: self.keyring().rewrap().await? })
    }

    /// Ends a rotation: the old master key opens nothing any more. Without a rotation it does nothing.
    pub async fn retire_old_master(&self) -> Result<Rewrapped, VaultError> {
        for _ in 0..ATTEMPTS {
            let (mut ring, revision, _) = self.keyring().masters.reload().await?;
            // Nodes that had not heard of the new one may have wrapped by the old one since.
            let owners = self.keyring().rewrap().await?;
            if ring.handed.is_empty() {
                return Ok(Rewrapped { owners });
            }
            ring.handed.clear();
            if self.keyring().masters.replace(&ring, revision).await? {
                return Ok(Rewrapped { owners });
            }
        }
        Err(VaultError::Contended("the register of master keys".to_owned()))
    }

    async fn hand_over(&self, new: &MasterKey) -> Result<(), VaultError> {
        for _ in 0..ATTEMPTS {
            let (ring, revision, known) = self.keyring().masters.reload().await?;
            if ring.active == new.id() {
                return Ok(());
            }
            if ring.kept.contains_key(new.id()) {
                return Err(VaultError::Rotation(format!(
                    "master key {} was replaced before, and is not taken again; draw a fresh one",
                    new.id()
                )));
            }
            if !ring.handed.is_empty() {
                return Err(VaultError::Rotation(format!(
                    "the rotation to master key {} has not ended; give it to every node, retire the old one, and rotate then",
                    ring.active
                )));
            }
            if self.keyring().masters.replace(&ring.handed_to(new, &known)?, revision).await? {
                self.keyring().masters.reload().await?;
                return Ok(());
            }
        }
        Err(VaultError::Contended("the register of master keys".to_owned()))
    }
}
