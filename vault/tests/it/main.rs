//! What the vault promises, shown on both databases.

mod bed;
mod erasing;
mod leaking;
mod passwords;
mod pinned;
mod racing;
mod rotating;
mod sealing;
mod secret_values;
mod signing;
mod throttling;
