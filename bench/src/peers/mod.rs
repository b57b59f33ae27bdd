//! The sides: our bus, the frameworks that others would use, and a bare INSERT as the floor.

mod bare;
mod cqrs_es;
mod generic_query;
mod ours;
mod pg_boss;

pub use bare::{BareInsert, METADATA, note};
pub use cqrs_es::{PostgresEs, SqliteEs};
pub use generic_query::{Detail, ViewOfThePeer};
pub use ours::Ours;
pub use pg_boss::{Drained, Fetching, Hearing, PgBoss};
