//! Keys, and what they protect: data about people sealed so that destroying a key erases it, the index by which it is
//! found again, passwords, opaque secrets, signatures, and the brake on guessing.
//!
//! Everything durable is a register. What must not appear here: SQL, the outside world, and anything that is logged or
//! stored in clear.

mod backup_keys;
mod blind;
mod cipher;
mod envelope;
mod error;
mod key_file;
mod keyring;
mod kind;
mod master;
mod masters;
pub mod passwords;
mod random;
mod rotation;
mod secret_values;
pub mod secrets;
mod shelf;
pub mod signing;
mod subjects;
pub mod throttle;
mod vault;

pub use backup_keys::BackupKey;
pub use error::VaultError;
pub use key_file::KeyFile;
pub use master::MasterKey;
pub use rotation::Rewrapped;
pub use secret_values::SECRET_BYTES;
pub use shelf::REMEMBERED;
pub use subjects::PLAIN_BYTES;
pub use vault::Vault;
