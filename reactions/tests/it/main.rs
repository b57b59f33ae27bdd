//! What reactions promise, shown on both databases.

mod bed;
mod dying;
mod endings;
mod halting;
mod nodes;
mod notes;
mod status_pages;
mod timers;
