//! Envelopes: something sealed under the newest key of its owner, bound to him, the key's number and the field.

use std::collections::HashMap;
use std::sync::Arc;

use domain::sealed::Sealed;
use zeroize::Zeroizing;

use crate::VaultError;
use crate::cipher::Bound;
use crate::keyring::Keyring;
use crate::kind::Kind;
use crate::shelf::Keys;

/// Bytes that the name of a field may have.
const FIELD_BYTES: usize = 300;

/// At most `limit` bytes are sealed.
pub(crate) async fn seal(
    keyring: &Keyring,
    kind: Kind,
    owner: &str,
    field: &str,
    plain: &[u8],
    limit: usize,
) -> Result<Sealed, VaultError> {
    if field.len() > FIELD_BYTES {
        return Err(VaultError::OutOfBounds(format!("the name of a sealed field has at most {FIELD_BYTES} bytes")));
    }
    if plain.len() > limit {
        let has = plain.len();
        return Err(VaultError::OutOfBounds(format!("{field} has {has} bytes; at most {limit} may be sealed")));
    }
    let (number, key) = keyring.newest_or_first(kind, owner).await?;
    let boxed = key.seal(plain, &bound(owner, number, field))?;
    Ok(Sealed { subject: owner.to_owned(), key: number, nonce: boxed.nonce, sealed: boxed.sealed })
}

/// None: the owner's keys were destroyed.
pub(crate) fn opened(
    keys: &HashMap<String, Arc<Keys>>,
    sealed: &Sealed,
    field: &str,
) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
    let keys = match keys.get(&sealed.subject).map(AsRef::as_ref) {
        Some(Keys::Erased) => return Ok(None),
        Some(Keys::Kept(keys)) => Some(keys),
        None => None,
    };
    let Some(key) = keys.and_then(|keys| keys.get(&sealed.key)) else {
        return Err(VaultError::Damaged(format!(
            "key {} of {} is not kept; restore the registers from a backup",
            sealed.key, sealed.subject
        )));
    };
    let plain = key.open(&sealed.nonce, &sealed.sealed, &bound(&sealed.subject, sealed.key, field));
    plain.map(Some).ok_or_else(|| damaged(sealed, field))
}

pub(crate) fn damaged(sealed: &Sealed, field: &str) -> VaultError {
    VaultError::Damaged(format!(
        "what is sealed as {field} of {} does not open: it was changed, or sealed as something else",
        sealed.subject
    ))
}

fn bound(owner: &str, number: u32, field: &str) -> Bound {
    Bound::to(&["pagefree sealed v1", owner, &number.to_string(), field])
}
