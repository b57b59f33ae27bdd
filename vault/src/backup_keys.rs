//! Keys of backups. Each backup has one of its own, whose wrapped form travels in the backup's header: it opens with the
//! master key alone, on a machine that has no database yet.

use zeroize::Zeroizing;

use crate::cipher::{Bound, KEY_BYTES, Key};
use crate::masters::Wrapped;
use crate::{MasterKey, Vault, VaultError};

#[derive(Debug)]
pub struct BackupKey {
    key: Key,
    /// JSON, for the header of the backup. No secret.
    pub header: String,
}

impl BackupKey {
    pub fn bytes(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        Zeroizing::new(*self.key.bytes())
    }
}

impl Vault {
    /// A fresh key for the backup of this name.
    pub fn draw_backup_key(&self, backup: &str) -> Result<BackupKey, VaultError> {
        let master = self.keyring().masters.known().active()?;
        let key = Key::draw()?;
        let wrapped = Wrapped::new(master.id(), master.wrapping_backups().seal(key.bytes(), &bound(backup))?);
        Ok(BackupKey { key, header: serde_json::json!(wrapped).to_string() })
    }

    /// The key of a backup that was made under this master key, or under one that it replaced.
    pub fn open_backup_key(&self, backup: &str, header: &str) -> Result<BackupKey, VaultError> {
        let wrapped = parse(header)?;
        let known = self.keyring().masters.known();
        match known.get(&wrapped.by) {
            Some(master) => open(&master, backup, header, &wrapped),
            None => Err(VaultError::WrongMaster { wanted: wrapped.by, given: known.active()?.id().to_owned() }),
        }
    }
}

impl MasterKey {
    /// As [`Vault::open_backup_key`], where there is no vault yet.
    pub fn open_backup_key(&self, backup: &str, header: &str) -> Result<BackupKey, VaultError> {
        let wrapped = parse(header)?;
        if wrapped.by != self.id() {
            return Err(VaultError::WrongMaster { wanted: wrapped.by, given: self.id().to_owned() });
        }
        open(self, backup, header, &wrapped)
    }
}

fn open(master: &MasterKey, backup: &str, header: &str, wrapped: &Wrapped) -> Result<BackupKey, VaultError> {
    let key = wrapped.key(&master.wrapping_backups(), &bound(backup)).ok_or_else(damaged)?;
    Ok(BackupKey { key, header: header.to_owned() })
}

fn bound(backup: &str) -> Bound {
    Bound::to(&["pagefree backup key v1", backup])
}

fn parse(header: &str) -> Result<Wrapped, VaultError> {
    serde_json::from_str(header).map_err(|_| damaged())
}

fn damaged() -> VaultError {
    VaultError::Damaged("the key in the header of this backup is damaged, or belongs to another backup".to_owned())
}
