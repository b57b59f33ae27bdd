//! Side by side with the peers, in one run: the same commands on the same machine, with the same durability, in turn.
//! What counts is the ratio of a pair of neighbouring runs, not a figure alone.
//!
//! [`load`] is the load generator, for whatever implements [`load::Side`]: as fast as it answers, or at a given rate.
//! [`logs`] makes logs of a million events in seconds. What needs a process of its own is in [`child`].

pub mod child;
pub mod load;
pub mod logs;
pub mod peers;
pub mod report;
pub mod scenarios;
