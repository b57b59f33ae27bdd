//! Side by side with the peers, in one run: the same commands on the same machine, with the same durability, in turn.
//! What counts is the ratio of a pair of neighbouring runs, not a figure alone.

pub mod load;
pub mod peers;
pub mod report;
pub mod scenarios;
