//! Opens the vault with the master key, from the environment or the key file, and lets the signing keys follow each other.

use std::path::Path;
use std::time::Duration;

use storage::Store;
use tokio::time::{MissedTickBehavior, interval};
use vault::signing::Signing;
use vault::{KeyFile, MasterKey, Vault};

use super::Failure;

/// In the data directory.
const KEY_FILE: &str = "master.key";
/// How often it is looked whether a signing key is due.
const BETWEEN_LOOKS: Duration = Duration::from_mins(30);

/// `given` is the master key in base64; without one it is read from its file in `data`, which is made if there is none.
pub(crate) async fn open(given: Option<&str>, data: &Path, store: &Store) -> Result<(Vault, Signing), Failure> {
    let failed = |error: vault::VaultError| Failure::Failed(error.to_string());
    let master = match given {
        Some(text) => MasterKey::from_base64(text).map_err(failed)?,
        None => from_file(&data.join(KEY_FILE))?,
    };
    let vault = Vault::open(store.clone(), &master).await.map_err(failed)?;
    let signing = Signing::open(&vault, now()).await.map_err(failed)?;
    Ok((vault, signing))
}

fn from_file(path: &Path) -> Result<MasterKey, Failure> {
    let file = KeyFile::open(path).map_err(|error| Failure::Failed(error.to_string()))?;
    if file.made {
        tracing::warn!(
            file = %path.display(),
            "a master key was made; move it out of the data directory (PAGEFREE_MASTER_KEY) and keep a copy apart from backups"
        );
    }
    if let Some(warning) = file.warning {
        tracing::warn!("{warning}");
    }
    Ok(file.key)
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

fn now() -> jiff::Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the binary is where time comes from")]
    jiff::Timestamp::now()
}
