//! The read side: documents folded from events.
//!
//! A fold sees its event and its own document, nothing else, so that a replay equals what was live. Nothing here reads
//! a clock, and nothing here reaches the outside world.

pub mod as_of;
mod decoded;
#[cfg(test)]
mod given;
pub mod history;
pub mod incidents;
pub mod runbooks;
pub mod timeline;
mod view;

pub use decoded::{Actor, Decoded};
pub use view::View;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Storage(#[from] storage::StorageError),
    /// The log holds an event that this binary cannot read.
    #[error("position {position}: {source}")]
    Undecodable { position: u64, source: domain::DecodeError },
}
