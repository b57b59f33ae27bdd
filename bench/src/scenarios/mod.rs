//! What is compared. Each scenario measures its sides in turn and returns lines for the report.

mod anatomy;
mod append;
mod bus;
mod growth;
mod idle;
mod lag;
mod lone;
mod memory;
mod queue;
mod reads;
mod views;

pub use anatomy::anatomy;
pub use append::append_alone;
pub use bus::{bus_on_postgres, bus_on_sqlite, hot_stream};
pub use growth::growth;
pub use idle::idle;
pub use lone::lone_caller;
pub use memory::memory;
pub use queue::queue;
pub use reads::reads;
pub use views::views;

/// How much is run.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Pairs of neighbouring runs.
    pub rounds: usize,
    /// Commands of one run of 64 callers; fewer callers get fewer.
    pub commands: usize,
    /// Events in the large log of the growth scenario and of the rebuild, and documents in the large view.
    pub large: u64,
    /// Events that views catch up with.
    pub events: u64,
    /// How many of them the peer gets.
    pub sample: u64,
    /// Pieces of work in a queue.
    pub jobs: usize,
    /// How long a load at a rate lasts; idleness twice as long.
    pub seconds: u64,
}

impl Effort {
    pub const FULL: Self = Self {
        rounds: 7,
        commands: 12_800,
        large: 1_000_000,
        events: 200_000,
        sample: 3_200,
        jobs: 20_000,
        seconds: 10,
    };
    /// Enough to see that everything runs and counts; the ratios say little.
    pub const QUICK: Self =
        Self { rounds: 1, commands: 640, large: 20_000, events: 25_600, sample: 640, jobs: 500, seconds: 1 };

    fn commands_for(self, callers: usize) -> usize {
        (self.commands * callers.clamp(8, 64) / 64).max(10)
    }
}
