//! Everything durable, on PostgreSQL or SQLite: the only crate that speaks SQL to our database.
//!
//! The log comes first (`events`), written through the group commit (`group_commit`); beside it stand bulk rows,
//! registers, the work queue, and the documents of views. Every statement exists twice, under `postgres` and `sqlite` of
//! its module, and one suite runs both.

pub mod bulk;
mod clock;
mod database;
pub mod documents;
mod durability;
pub mod epoch;
mod error;
pub mod events;
mod group_commit;
mod hex;
mod idempotency;
mod lookout;
mod migrations;
mod random;
pub mod registers;
mod store;
mod tail;
mod wake;
pub mod work;

pub use database::{Access, Config};
pub use epoch::Token;
pub use error::StorageError;
pub use events::{
    Append, EventLog, Idempotency, NewEvent, Receipt, Recorded, StreamId, StreamPlace, StreamWrite, Verdict, Wanted,
};
pub use group_commit::{Limits, Writer};
pub use idempotency::KeyUse;
pub use store::Store;
pub use tail::Tail;
