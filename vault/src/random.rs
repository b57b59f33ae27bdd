//! Where the vault draws randomness: keys, nonces, salts and secrets.

use crate::VaultError;

pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), VaultError> {
    #[expect(clippy::disallowed_methods, reason = "the one place where the vault draws randomness")]
    getrandom::fill(bytes).map_err(|error| VaultError::Random(error.to_string()))
}

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}
