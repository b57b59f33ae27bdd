//! Passwords: kept as argon2id under a key of the vault, so that a copy of the database alone cannot be guessed at.
//!
//! Whoever has no password is verified against one that nobody knows: how long the answer takes tells nothing.

mod hasher;
mod policy;

use domain::sealed::Sealed;
use storage::registers::Register;
use zeroize::Zeroizing;

use crate::{Vault, VaultError};
pub use hasher::Cost;
use hasher::Hasher;
pub use policy::{CHARACTERS, Weakness, check};

const KIND: &str = "password";
/// The owner of the key under which hashes are sealed.
const OWNER: &str = "pagefree passwords";
/// How often a change is tried again because others changed the same password first.
const ATTEMPTS: u32 = 20;

#[derive(Debug, Clone, thiserror::Error)]
pub enum PasswordError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Everything that is wrong with it, for whoever chose it.
    #[error("the password is not good enough: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Weak(Vec<Weakness>),
    /// Too many are being hashed already; try again in a moment.
    #[error("too many passwords are being checked; try again in a few seconds")]
    Busy,
}

impl From<storage::StorageError> for PasswordError {
    fn from(error: storage::StorageError) -> Self {
        Self::Vault(error.into())
    }
}

/// One per process: it bounds how many are hashed at once.
#[derive(Debug, Clone)]
pub struct Passwords {
    vault: Vault,
    hasher: Hasher,
    /// A hash of what nobody knows, sealed like all others.
    decoy: Sealed,
}

impl Passwords {
    pub async fn open(vault: &Vault) -> Result<Self, PasswordError> {
        Self::open_at(vault, Cost::default()).await
    }

    /// At another cost than the one that is recommended.
    pub async fn open_at(vault: &Vault, cost: Cost) -> Result<Self, PasswordError> {
        let hasher = Hasher::new(cost);
        let nobody_knows = crate::secrets::Secret::draw(crate::secrets::Purpose::Session)?;
        let hash = hasher.hash(Zeroizing::new(nobody_knows.reveal().to_owned())).await?;
        let decoy = vault.seal_secret(OWNER, &field(""), hash.as_bytes()).await?;
        Ok(Self { vault: vault.clone(), hasher, decoy })
    }

    /// Gives `user` a password, if it is good enough. `about` is what is known of him, and what his password must not be
    /// made of: his name and his addresses.
    pub async fn set(&self, user: &str, password: &str, about: &[&str]) -> Result<(), PasswordError> {
        let password = self.hasher.checked(password, about).await?;
        let hash = self.hasher.hash(password).await?;
        let value = self.sealed(user, &hash).await?;
        let store = self.vault.store();
        for _ in 0..ATTEMPTS {
            let revision = store.register(KIND, user).await?.map_or(0, |there| there.revision);
            let register = Register { key: user.to_owned(), value: value.clone(), revision };
            if store.set_register(KIND, &register, None).await? {
                return Ok(());
            }
        }
        Err(VaultError::Contended(format!("the password of {user}")).into())
    }

    /// Whether this is the password of `user`. What was hashed at a lesser cost is hashed anew when it is right.
    pub async fn verify(&self, user: &str, password: &str) -> Result<bool, PasswordError> {
        let register = self.vault.store().register(KIND, user).await?;
        let kept = register.as_ref().map(|register| parse(user, register)).transpose()?;
        let (sealed, owner) = kept.as_ref().map_or((&self.decoy, ""), |sealed| (sealed, user));
        let Some(hash) = self.vault.unseal_secret(sealed, &field(owner)).await? else {
            return Err(VaultError::Damaged("the key of passwords was erased; set them anew".to_owned()).into());
        };
        let Ok(hash) = String::from_utf8(hash.to_vec()) else { return Err(damaged(user).into()) };
        let right = self.hasher.verify(password, &hash).await?;
        let Some(register) = register.filter(|_| right) else { return Ok(false) };
        if self.hasher.needs_rehash(&hash) {
            let hash = self.hasher.hash(policy::normalised(password)).await?;
            let value = self.sealed(user, &hash).await?;
            // Whoever changed it meanwhile has a better one.
            self.vault.store().set_register(KIND, &Register { value, ..register }, None).await?;
        }
        Ok(true)
    }

    pub async fn has_one(&self, user: &str) -> Result<bool, PasswordError> {
        Ok(self.vault.store().register(KIND, user).await?.is_some())
    }

    /// Takes the password of `user` away. Part of erasing a person.
    pub async fn remove(&self, user: &str) -> Result<(), PasswordError> {
        for _ in 0..ATTEMPTS {
            let Some(there) = self.vault.store().register(KIND, user).await? else { return Ok(()) };
            if self.vault.store().remove_register(KIND, user, there.revision).await? {
                return Ok(());
            }
        }
        Err(VaultError::Contended(format!("the password of {user}")).into())
    }

    async fn sealed(&self, user: &str, hash: &str) -> Result<String, PasswordError> {
        Ok(serde_json::json!(self.vault.seal_secret(OWNER, &field(user), hash.as_bytes()).await?).to_string())
    }
}

/// Bound to whose it is, so that nobody who writes to the database gives his own password to somebody else.
fn field(user: &str) -> String {
    format!("password of {user}")
}

fn parse(user: &str, register: &Register) -> Result<Sealed, VaultError> {
    serde_json::from_str(&register.value).map_err(|_| damaged(user))
}

fn damaged(user: &str) -> VaultError {
    VaultError::Damaged(format!("the kept password of {user} is damaged; set it anew"))
}
