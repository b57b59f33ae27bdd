//! Secrets that somebody has to know in clear again: what references of runbooks, targets and channels stand for.

use std::collections::BTreeMap;

use domain::sealed::Sealed;
use zeroize::Zeroizing;

use crate::kind::Kind;
use crate::{Vault, VaultError, envelope};

/// Bytes that one value may have: a private key with its certificates fits.
pub const SECRET_BYTES: usize = 64 * 1024;

impl Vault {
    /// Seals one value of a secret. It opens only as that secret's, and only under that name.
    pub async fn seal_secret(&self, secret: &str, name: &str, plain: &[u8]) -> Result<Sealed, VaultError> {
        envelope::seal(self.keyring(), Kind::Secret, secret, name, plain, SECRET_BYTES).await
    }

    /// None: the secret was erased.
    pub async fn unseal_secret(&self, sealed: &Sealed, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let wanted = BTreeMap::from([(&*sealed.subject, sealed.key)]);
        envelope::opened(&self.keyring().of(Kind::Secret, &wanted).await?, sealed, name)
    }

    /// Gives a secret a new key for what is sealed from now on, and says its number.
    pub async fn rotate_secret(&self, secret: &str) -> Result<u32, VaultError> {
        self.keyring().rotate(Kind::Secret, secret).await
    }

    /// Destroys the keys of a secret, as [`Vault::erase`] does those of a person.
    pub async fn erase_secret(&self, secret: &str) -> Result<(), VaultError> {
        self.keyring().destroy(Kind::Secret, secret).await
    }
}
