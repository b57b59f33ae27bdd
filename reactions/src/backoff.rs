//! How long to wait before the next attempt.

use std::time::Duration;

/// Doubles from `shortest` to `longest`, until something worked.
#[derive(Debug)]
pub(crate) struct Backoff {
    shortest: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest, failures: 0 }
    }

    pub(crate) fn next(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        doubled(self.shortest, self.failures, self.longest)
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// `first` before the second attempt, twice as long before each further one, `longest` at most.
pub(crate) fn doubled(first: Duration, attempts: u32, longest: Duration) -> Duration {
    let factor = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Backoff, doubled};

    #[test]
    fn it_doubles_up_to_its_bound() {
        let after = |attempts| doubled(Duration::from_secs(1), attempts, Duration::from_mins(10)).as_secs();
        let delays = [0, 1, 2, 3, 10, 11, 32, 33, 1_000].map(after);
        assert_eq!(delays, [1, 1, 2, 4, 512, 600, 600, 600, 600]);
    }

    #[test]
    fn what_worked_begins_anew() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        let first = [backoff.next(), backoff.next()];
        backoff.reset();
        assert_eq!((first, backoff.next()), ([100, 200].map(Duration::from_millis), Duration::from_millis(100)));
    }
}
