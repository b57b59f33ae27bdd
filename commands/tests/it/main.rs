//! What the bus promises, shown on both databases.

mod accesses;
mod approvals;
mod authorization;
mod bed;
mod idempotency;
mod lamp;
mod outcomes;
mod people;
mod procedures;
mod retrying;
mod rights;
mod tokens;
mod upcasting;
