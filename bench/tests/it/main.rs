//! The peers can read what we write, and every comparison runs and counts.

mod reads;
mod runs;
