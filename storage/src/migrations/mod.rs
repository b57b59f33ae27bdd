//! Brings the durable tables to the shape that this binary knows. Each migration either expands (older binaries go on
//! working beside it) or contracts (they do not); the name says which.

mod postgres;
mod sqlite;

use sha2::{Digest, Sha256};

use crate::StorageError;
use crate::database::{Config, Database};
use crate::hex::hex_of;

#[derive(Debug, Clone, Copy)]
struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migration {
    ($version:literal, $engine:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../../migrations/", $engine, "/", $name, ".sql")),
        }
    };
}

const POSTGRES: &[Migration] = &[
    migration!(1, "postgres", "0001_expand_the_log"),
    migration!(2, "postgres", "0002_expand_append"),
    migration!(3, "postgres", "0003_expand_queue"),
    migration!(4, "postgres", "0004_expand_views"),
];
const SQLITE: &[Migration] =
    &[migration!(1, "sqlite", "0001_expand_the_log"), migration!(3, "sqlite", "0003_expand_queue")];
const SQLITE_VIEWS: &[Migration] = &[migration!(1, "sqlite_views", "0001_expand_views")];

/// What the database says has been applied.
#[derive(Debug)]
struct Applied {
    version: i64,
    name: String,
    sha256: String,
}

impl Migration {
    fn sha256(&self) -> String {
        hex_of(&Sha256::digest(self.sql.as_bytes()))
    }
}

pub(crate) async fn run(database: &Database, config: &Config) -> Result<(), StorageError> {
    match database {
        Database::Postgres(app) => postgres::run(app, config.migration_url.as_deref()).await,
        Database::Sqlite(sqlite) => {
            sqlite::run(&sqlite.writer, SQLITE).await?;
            sqlite::run(&sqlite.views.writer, SQLITE_VIEWS).await
        }
    }
}

/// The migrations still to run, or why this binary must not touch this database.
fn outstanding<'a>(known: &'a [Migration], applied: &[Applied]) -> Result<Vec<&'a Migration>, StorageError> {
    for done in applied {
        match known.iter().find(|m| m.version == done.version) {
            Some(m) if m.sha256() != done.sha256 => {
                let name = m.name;
                return Err(StorageError::Incompatible(format!(
                    "migration {name} was applied in another wording than this binary holds"
                )));
            }
            // A newer binary runs beside this one: fine as long as it only added.
            None if !done.name.contains("_expand_") => {
                return Err(StorageError::Incompatible(format!(
                    "the database was contracted by a newer binary ({}); this one is too old for it",
                    done.name
                )));
            }
            _ => {}
        }
    }
    Ok(known.iter().filter(|m| applied.iter().all(|done| done.version != m.version)).collect())
}

#[cfg(test)]
mod tests {
    use super::{Applied, Migration, outstanding};

    const KNOWN: &[Migration] = &[
        Migration { version: 1, name: "0001_expand_a", sql: "a" },
        Migration { version: 2, name: "0002_contract_b", sql: "b" },
    ];

    fn applied(m: &Migration) -> Applied {
        Applied { version: m.version, name: m.name.to_owned(), sha256: m.sha256() }
    }

    fn foreign(name: &str) -> Applied {
        Applied { version: 9, name: name.to_owned(), sha256: String::new() }
    }

    #[test]
    fn only_what_is_missing_runs() {
        let due = outstanding(KNOWN, &[applied(&KNOWN[0])]).unwrap();
        assert_eq!(due.iter().map(|m| m.version).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn an_unknown_expansion_is_tolerated_an_unknown_contraction_is_not() {
        assert!(outstanding(KNOWN, &[foreign("0009_expand_more")]).is_ok());
        assert!(outstanding(KNOWN, &[foreign("0009_contract_away")]).is_err());
    }

    #[test]
    fn a_reworded_migration_is_refused() {
        let reworded = Applied { sha256: "another".to_owned(), ..applied(&KNOWN[0]) };
        assert!(outstanding(KNOWN, &[reworded]).is_err());
    }
}
