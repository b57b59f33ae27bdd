//! Why a subcommand did not work, in words for whoever typed it.

use std::fmt;
use std::process::ExitCode;

use storage::StorageError;

#[derive(Debug)]
pub(crate) enum Failure {
    /// Something about the command line, the environment or the configuration file must be changed.
    Usage(String),
    Failed(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::from(1),
        }
    }

    /// Why the database at `url` cannot be used.
    pub(crate) fn database(url: &str, error: &StorageError) -> Self {
        let place = without_password(url);
        match error {
            StorageError::InUse(_) => Self::Failed(format!(
                "{error}. Only one `pagefree serve` may use an SQLite database; other subcommands may be used beside it"
            )),
            StorageError::Configuration(_) => Self::Usage(format!("the database {place}: {error}")),
            StorageError::Unavailable(_) => Self::Failed(format!(
                "the database {place} cannot be reached: {error}. Is it running, and does the URL name the right host, \
                 port, user and database?"
            )),
            _ => Self::Failed(format!("the database {place}: {error}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

/// A URL as it may stand in a log or on a screen.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // Parameters may carry a password as well.
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}/{path}")
        }
        None => format!("{scheme}://{authority}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_are_left_out() {
        assert_eq!(without_password("postgres://u:p@ss@h:5432/d?password=p"), "postgres://u@h:5432/d");
        assert_eq!(without_password("postgres://h/d"), "postgres://h/d");
        assert_eq!(without_password("sqlite:data/pagefree.db"), "sqlite:data/pagefree.db");
    }
}
