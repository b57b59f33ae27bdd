//! Where storage draws randomness: salts, which keep the hash of a redacted payload from being guessed, and epochs.

use crate::StorageError;

pub(crate) fn bytes(count: usize) -> Result<Vec<u8>, StorageError> {
    let mut bytes = vec![0; count];
    #[expect(clippy::disallowed_methods, reason = "the one place where storage draws randomness")]
    getrandom::fill(&mut bytes).map_err(|e| StorageError::Unavailable(format!("no randomness: {e}")))?;
    Ok(bytes)
}
