//! Group commit: whatever callers want while a call to the database is in flight becomes the next call.

mod closer;
mod combine;
mod loader;
mod resend;
mod writer;

use std::time::Duration;

pub(crate) use closer::Closer;
pub(crate) use loader::Loader;
pub use writer::Writer;

/// The bounds of the group commit.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Callers waiting at most; the next ones wait for a place.
    pub waiting: usize,
    /// Commands in one batch.
    pub batch_commands: usize,
    /// Bytes in one batch, unless a single command is larger.
    pub batch_bytes: usize,
    /// How long a batch is sent again after a lost connection before its callers hear that the outcome is unknown.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { waiting: 4096, batch_commands: 512, batch_bytes: 4 << 20, patience: Duration::from_secs(20) }
    }
}
