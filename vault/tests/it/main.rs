//! What the vault promises, shown on both databases.

mod bed;
mod erasing;
mod leaking;
mod pinned;
mod racing;
mod rotating;
mod sealing;
