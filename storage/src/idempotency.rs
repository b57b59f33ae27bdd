//! Looking up what an idempotency key was used for, before a command is decided anew.

use sqlx::Row;
use uuid::Uuid;

use crate::database::Database;
use crate::events::{Idempotency, Recorded};
use crate::{StorageError, Store};

/// What the log knows of a request's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    Unused,
    /// This very request was answered, by this command.
    SameBody(Uuid),
    OtherBody,
}

const USED_POSTGRES: &str = "
SELECT body_sha256, command_id FROM requests WHERE principal = $1 AND key = $2 AND expires_at > clock_timestamp()";
const USED_SQLITE: &str = "
SELECT body_sha256, command_id FROM requests
 WHERE principal = $1 AND key = $2 AND expires_at > unixepoch('subsec') * 1000000";

impl Store {
    /// What the key was used for within its lifetime. A courtesy, for clear answers; the append is what decides.
    pub async fn key_use(&self, request: &Idempotency) -> Result<KeyUse, StorageError> {
        let Idempotency { principal, key, .. } = request;
        let found: Option<(Vec<u8>, Uuid)> = match self.database() {
            Database::Postgres(postgres) => {
                let row = postgres.row(postgres.query(USED_POSTGRES).bind(principal).bind(key)).await?;
                row.map(|row| Ok::<_, sqlx::Error>((row.try_get(0)?, row.try_get(1)?))).transpose()?
            }
            Database::Sqlite(sqlite) => {
                let row = sqlx::query(USED_SQLITE).bind(principal).bind(key).fetch_optional(&sqlite.readers).await?;
                row.map(|row| Ok::<_, sqlx::Error>((row.try_get(0)?, row.try_get(1)?))).transpose()?
            }
        };
        Ok(match found {
            None => KeyUse::Unused,
            Some((body, command_id)) if body == request.body_sha256 => KeyUse::SameBody(command_id),
            Some(_) => KeyUse::OtherBody,
        })
    }

    /// The events of a command, in order; none if it is not in the log.
    pub async fn of_command(&self, command_id: Uuid) -> Result<Vec<Recorded>, StorageError> {
        match self.database() {
            Database::Postgres(postgres) => postgres.of_command(command_id).await,
            Database::Sqlite(sqlite) => sqlite.of_command(command_id).await,
        }
    }
}
