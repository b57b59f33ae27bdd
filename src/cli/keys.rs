//! The keys that the server signs with, and how they follow each other.

use std::time::Duration;

use commands::Keys;
use tokio::time::{MissedTickBehavior, interval};
use vault::signing::Signing;

use super::{Failure, now};

/// How often it is looked whether a signing key is due.
const BETWEEN_LOOKS: Duration = Duration::from_mins(30);

pub(crate) async fn signing(keys: &Keys) -> Result<Signing, Failure> {
    Signing::open(&keys.vault, now()).await.map_err(|error| Failure::Failed(error.to_string()))
}

/// Publishes, takes into use and removes signing keys when they are due, for ever.
pub(crate) async fn follow_each_other(signing: Signing) {
    let mut ticks = interval(BETWEEN_LOOKS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = signing.advance(now()).await {
            tracing::warn!(%error, "the signing keys were not looked after; it is tried again");
        }
    }
}
