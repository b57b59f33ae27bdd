//! The sides: our bus, the frameworks that others would use, and a bare INSERT as the floor.

mod bare;
mod cqrs_es;
mod ours;

pub use bare::{BareInsert, METADATA, note};
pub use cqrs_es::{PostgresEs, SqliteEs};
pub use ours::Ours;
