//! The read side: documents folded from events.
//!
//! A fold sees its event and its own document, nothing else, so that a replay equals what was live. Nothing here reads
//! a clock, and nothing here reaches the outside world.

pub mod approvals;
pub mod as_of;
pub mod build;
mod decoded;
mod event;
mod feed;
mod fold;
mod follow;
#[cfg(test)]
mod given;
pub mod history;
pub mod incidents;
pub mod lists;
pub mod oversight;
pub mod overview;
mod page;
pub mod partner_grants;
pub mod people;
mod progress;
pub mod registry;
mod repair;
pub mod runbooks;
pub mod status;
pub mod status_pages;
pub mod terms;
pub mod timeline;
pub mod view;
mod views;

pub use decoded::{Actor, Decoded};
pub use event::Event;
pub use feed::{Chunk, Feed};
pub use page::{Cursor, Page};
pub use progress::{Phase, Standing, Trouble};
pub use view::View;
pub use views::{Behind, Views};

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Storage(#[from] storage::StorageError),
    /// The log holds an event that this binary cannot read.
    #[error("position {position}: {source}")]
    Undecodable { position: u64, source: domain::DecodeError },
    /// It is being filled, or this binary has no such view.
    #[error("the view {view} is not built yet")]
    NotBuilt { view: &'static str },
}
