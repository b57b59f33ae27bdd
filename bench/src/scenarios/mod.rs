//! What is compared. Each scenario measures its sides in turn and returns lines for the report.

mod append;
mod bus;
mod growth;
mod lone;

pub use append::append_alone;
pub use bus::{bus_on_postgres, bus_on_sqlite, hot_stream};
pub use growth::growth;
pub use lone::lone_caller;

/// How much is run.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Pairs of neighbouring runs.
    pub rounds: usize,
    /// Commands of one run of 64 callers; fewer callers get fewer.
    pub commands: usize,
    /// Events in the large log of the growth scenario.
    pub large: u64,
}

impl Effort {
    pub const FULL: Self = Self { rounds: 7, commands: 12_800, large: 1_000_000 };
    /// Enough to see that everything runs and counts; the ratios say little.
    pub const QUICK: Self = Self { rounds: 1, commands: 640, large: 20_000 };

    fn commands_for(self, callers: usize) -> usize {
        (self.commands * callers.clamp(8, 64) / 64).max(10)
    }
}
