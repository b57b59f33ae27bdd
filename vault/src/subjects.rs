//! Data about people: sealed under a key of each one's own, opened while that key is there, erased with it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::sealed::{BOX_CHARACTERS, Sealed};

use crate::cipher::TAG_BYTES;
use crate::kind::Kind;
use crate::shelf::Keys;
use crate::{Vault, VaultError, envelope};

/// Bytes that a datum may have: what fits into a box of an event.
pub const PLAIN_BYTES: usize = BOX_CHARACTERS / 4 * 3 - TAG_BYTES;

impl Vault {
    /// Seals one datum of a person. It opens only as his, and only as this field.
    pub async fn seal(&self, subject: &str, field: &str, plain: &str) -> Result<Sealed, VaultError> {
        envelope::seal(self.keyring(), Kind::Subject, subject, field, plain.as_bytes(), PLAIN_BYTES).await
    }

    /// None: the person was erased.
    pub async fn unseal(&self, sealed: &Sealed, field: &str) -> Result<Option<String>, VaultError> {
        let wanted = BTreeMap::from([(&*sealed.subject, sealed.key)]);
        opened(&self.keyring().of(Kind::Subject, &wanted).await?, sealed, field)
    }

    /// Opens what a list shows, in the order asked for, with one query for the keys of all (two from 501 people on). One
    /// envelope that does not open takes nothing from the others.
    pub async fn unseal_all(
        &self,
        envelopes: &[(&Sealed, &str)],
    ) -> Result<Vec<Result<Option<String>, VaultError>>, VaultError> {
        let mut wanted: BTreeMap<&str, u32> = BTreeMap::new();
        for (sealed, _) in envelopes {
            let number = wanted.entry(&sealed.subject).or_default();
            *number = sealed.key.max(*number);
        }
        let keys = self.keyring().of(Kind::Subject, &wanted).await?;
        Ok(envelopes.iter().map(|(sealed, field)| opened(&keys, sealed, field)).collect())
    }

    /// Destroys the keys of a person: here at once, on other nodes within [`crate::REMEMBERED`]. Whatever was sealed for
    /// him stays where it is and means nothing.
    pub async fn erase(&self, subject: &str) -> Result<(), VaultError> {
        self.keyring().destroy(Kind::Subject, subject).await
    }

    /// Gives a person a new key for what is sealed from now on, and says its number.
    pub async fn rotate_subject(&self, subject: &str) -> Result<u32, VaultError> {
        self.keyring().rotate(Kind::Subject, subject).await
    }
}

fn opened(keys: &HashMap<String, Arc<Keys>>, sealed: &Sealed, field: &str) -> Result<Option<String>, VaultError> {
    let Some(plain) = envelope::opened(keys, sealed, field)? else { return Ok(None) };
    std::str::from_utf8(&plain).map(|text| Some(text.to_owned())).map_err(|_| envelope::damaged(sealed, field))
}
