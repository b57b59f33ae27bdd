//! Waiting for a condition with a deadline, never for a time.

use std::future::Future;
use std::time::{Duration, Instant};

/// Far beyond what any condition needs, so that a slow machine does not fail a right program.
const DEADLINE: Duration = Duration::from_mins(1);

/// Waits until `condition` holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until `attempt` succeeds, and returns what it made.
pub async fn eventually_ok<T, E, F>(what: &str, mut attempt: impl FnMut() -> F) -> T
where
    E: std::fmt::Debug,
    F: Future<Output = Result<T, E>>,
{
    let begun = Instant::now();
    loop {
        match attempt().await {
            Ok(made) => return made,
            Err(error) => assert!(begun.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain until {what}: {error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
