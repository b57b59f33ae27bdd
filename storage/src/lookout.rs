//! Looking where the log ends, once for all readers of a process: wake-ups from other nodes may be lost, a look is not.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::database::Database;
use crate::wake::Wakeups;

/// How long what another node appended may stay unseen here when its wake-up was lost.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Looks until it is dropped.
#[derive(Debug)]
pub(crate) struct Lookout(JoinHandle<()>);

impl Lookout {
    pub(crate) fn start(database: Database, wakeups: Wakeups) -> Self {
        Self(tokio::spawn(async move {
            loop {
                sleep(BETWEEN_LOOKS).await;
                let head = match &database {
                    Database::Postgres(postgres) => postgres.head().await,
                    Database::Sqlite(sqlite) => sqlite.head().await,
                };
                match head {
                    Ok(head) => wakeups.seen(head),
                    Err(error) => tracing::debug!(%error, "could not look where the log ends"),
                }
            }
        }))
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        self.0.abort();
    }
}
