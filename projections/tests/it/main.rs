//! What views promise, shown on both databases.

mod bad_events;
mod bed;
mod given;
mod nodes;
mod oracle;
mod several_streams;
mod sifting;
mod trouble;
mod versions;
