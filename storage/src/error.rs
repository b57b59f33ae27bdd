//! What can go wrong when something is kept or read.

/// One enum for the layer. `Unavailable` and `Full` pass with time, the others do not.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// The database cannot be reached, or answered that it is not ready.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// An append was under way when the database went away and did not come back in time: it may have happened.
    /// Sending the same command id again tells which.
    #[error("the database went away before it answered; the outcome is unknown: {0}")]
    Unknown(String),
    #[error("no space is left to write: {0}")]
    Full(String),
    /// The database refuses this input, and will refuse it again.
    #[error("the database refused the input: {0}")]
    Rejected(String),
    /// A position is missing in what was read. Fatal: the log itself is damaged.
    #[error("the log has a gap: position {expected} was due, {found} came")]
    Gap { expected: u64, found: u64 },
    /// What is stored is not what this binary knows how to read or run.
    #[error("{0}")]
    Incompatible(String),
    /// A generation of a view that was replaced and dropped, or a build that another one has taken the place of.
    #[error("{0} is no longer kept; open the view again")]
    Superseded(String),
    #[error("{0} is in use by another process; stop it first, or use another data directory")]
    InUse(String),
    #[error("configuration: {0}")]
    Configuration(String),
}

impl StorageError {
    /// Whether the same call may succeed later, unchanged.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Unknown(_) | Self::Full(_))
    }
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => match database.code().as_deref() {
                // PostgreSQL: disk full. SQLite: SQLITE_FULL, and SQLITE_IOERR_WRITE as ENOSPC also shows up.
                Some("53100" | "13" | "778") => Self::Full(error.to_string()),
                Some(code) if is_passing(code) => Self::Unavailable(error.to_string()),
                _ => Self::Rejected(database.message().to_owned()),
            },
            sqlx::Error::Encode(_) | sqlx::Error::TypeNotFound { .. } | sqlx::Error::ColumnDecode { .. } => {
                Self::Rejected(error.to_string())
            }
            sqlx::Error::Configuration(_) => Self::Configuration(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

/// States of the database, not of the statement: the same batch may be sent again.
fn is_passing(code: &str) -> bool {
    matches!(
        code,
        // cancelled, shutting down, crashed, starting up, idle for too long
        "57014" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03"
        // too many connections, out of memory, read-only (a standby)
        | "53300" | "53200" | "25006"
        // serialization failure, deadlock, lock not available
        | "40001" | "40P01" | "55P03"
    ) || code.starts_with("08")
        || is_passing_in_sqlite(code)
}

/// SQLite's codes are numbers of at most four digits, PostgreSQL's have five characters. The low byte is the kind:
/// busy, locked, out of memory, interrupted, input or output failed, cannot open, locking protocol.
fn is_passing_in_sqlite(code: &str) -> bool {
    code.len() < 5 && code.parse().is_ok_and(|code: u32| matches!(code & 0xff, 5 | 6 | 7 | 9 | 10 | 14 | 15))
}
