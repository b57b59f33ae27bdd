//! Identifiers: fresh ones in order of time, and those that follow from what they name.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The namespace of ids derived by us. Never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f6e_6361_6c6c_4000_8000_7061_6765_6672);

/// A new id. In order of time, so that an index over ids grows at its end.
pub fn fresh() -> Uuid {
    #[expect(clippy::disallowed_methods, reason = "the one place where ids are drawn")]
    Uuid::now_v7()
}

/// The command id of a request under an idempotency key. The body is part of it: after the key's lifetime another body
/// under the same key is another command, see `docs/decisions/0004-idempotency.md`.
pub fn of_request(principal: &str, key: &str, body_sha256: &[u8; 32]) -> Uuid {
    let mut name = Sha256::new();
    for part in [principal.as_bytes(), key.as_bytes(), body_sha256] {
        name.update((part.len() as u64).to_be_bytes());
        name.update(part);
    }
    Uuid::new_v5(&NAMESPACE, &name.finalize())
}

/// The id of something that a command brings about beside what it creates, by the name that this has in it.
pub fn derived(command_id: Uuid, name: &str) -> Uuid {
    Uuid::new_v5(&command_id, name.as_bytes())
}

/// The command id of an outcome: the same outcome cannot be told twice.
pub fn of_outcome(work_id: Uuid) -> Uuid {
    Uuid::new_v5(&NAMESPACE, work_id.as_bytes())
}
