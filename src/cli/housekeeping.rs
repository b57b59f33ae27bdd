//! What a server does beside serving: it says when the database is set up to lose things, and sweeps what has expired.

use std::time::Duration;

use storage::{StorageError, Store};
use tokio::time::{MissedTickBehavior, interval};

const BETWEEN_SWEEPS: Duration = Duration::from_mins(5);
/// Rows of each kind in one statement: a sweep must not hold the database up.
const AT_ONCE: usize = 1_000;

pub(crate) async fn warn_of_unsafe_settings(store: &Store) {
    match store.unsafe_settings().await {
        Ok(settings) => {
            for setting in settings {
                tracing::warn!("PostgreSQL runs with {setting}: what is acknowledged may be lost in a crash");
            }
        }
        Err(error) => tracing::warn!(%error, "the database's settings could not be read"),
    }
}

/// Removes expired idempotency keys and registers, for ever.
pub(crate) async fn sweep(store: Store) {
    let mut ticks = interval(BETWEEN_SWEEPS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = sweep_all(&store).await {
            tracing::warn!(%error, "sweeping failed; it is tried again");
        }
    }
}

async fn sweep_all(store: &Store) -> Result<(), StorageError> {
    loop {
        let removed = store.sweep(AT_ONCE).await?;
        if removed == 0 {
            return Ok(());
        }
        tracing::debug!(removed, "swept what had expired");
    }
}
