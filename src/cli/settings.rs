//! Settings: a flag beats the environment, which beats the configuration file, which beats what is built in.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use storage::{Config, Store};

use super::Failure;

/// Where what is durable is kept.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// `sqlite:PATH` or `postgres://…`; by default `sqlite:<data dir>/pagefree.db`.
    #[arg(long, global = true, value_name = "URL", env = "PAGEFREE_DATABASE_URL", hide_env_values = true)]
    database: Option<String>,
    /// Another PostgreSQL role, which owns the tables and runs the migrations.
    #[arg(long, global = true, value_name = "URL", env = "PAGEFREE_MIGRATION_DATABASE_URL", hide_env_values = true)]
    migration_database: Option<String>,
    /// Where everything lives that is no database of yours [default: ./data].
    #[arg(long, global = true, value_name = "DIR", env = "PAGEFREE_DATA_DIR")]
    data: Option<PathBuf>,
    /// A TOML file with any of: listen, database, `migration_database`, data, `public_url`.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) listen: Option<String>,
    database: Option<String>,
    migration_database: Option<String>,
    data: Option<PathBuf>,
    pub(crate) public_url: Option<String>,
}

impl Place {
    /// What the configuration file says; nothing where none is named.
    pub(crate) fn file(&self) -> Result<File, Failure> {
        let Some(path) = &self.config else { return Ok(File::default()) };
        let wrong = |why: String| Failure::Usage(format!("the configuration file {}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        toml::from_str(&text).map_err(|error| wrong(error.to_string()))
    }

    /// Where everything lives that is no database of anybody's; it is there afterwards.
    pub(crate) fn folder(&self, file: &File) -> Result<PathBuf, Failure> {
        let data = self.data.as_ref().filter(|path| !path.as_os_str().is_empty()).or(file.data.as_ref());
        let data = data.map_or(Path::new("data"), PathBuf::as_path);
        make_private(data)?;
        Ok(data.to_owned())
    }

    /// How to open the database, whose data directory is there afterwards.
    pub(crate) fn config(&self, file: &File) -> Result<Config, Failure> {
        let url = given(self.database.as_ref()).or(given(file.database.as_ref()));
        let url = if let Some(url) = url {
            url.clone()
        } else {
            format!("sqlite:{}", self.folder(file)?.join("pagefree.db").display())
        };
        let migration_url = given(self.migration_database.as_ref()).or(given(file.migration_database.as_ref()));
        Ok(Config { migration_url: migration_url.cloned(), ..Config::new(url) })
    }

    /// Opens the database as somebody beside the server.
    pub(crate) async fn open_beside(&self) -> Result<Store, Failure> {
        let config = self.config(&self.file()?)?;
        Store::open(&config).await.map_err(|error| Failure::database(&config.url, &error))
    }
}

/// An empty variable counts as none.
pub(crate) fn given(text: Option<&String>) -> Option<&String> {
    text.filter(|text| !text.is_empty())
}

fn make_private(folder: &Path) -> Result<(), Failure> {
    if folder.is_dir() {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| Failure::Usage(format!("the data directory {} cannot be made: {error}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::{File, Place};

    fn database(url: Option<&str>) -> Place {
        let database = url.map(str::to_owned);
        Place { database, migration_database: None, data: Some("/".into()), config: None }
    }

    #[test]
    fn what_is_given_beats_the_file_and_nothing_given_is_the_data_directory() {
        let file: File = toml::from_str("database = 'sqlite:f.db'\nmigration_database = 'postgres://m'").unwrap();
        let config = database(Some("sqlite:g.db")).config(&file).unwrap();
        assert_eq!((config.url.as_str(), config.migration_url.as_deref()), ("sqlite:g.db", Some("postgres://m")));
        assert_eq!(database(Some("")).config(&file).unwrap().url, "sqlite:f.db");
        assert_eq!(database(None).config(&File::default()).unwrap().url, "sqlite:/pagefree.db");
    }

    #[test]
    fn unknown_keys_are_errors() {
        assert!(toml::from_str::<File>("lisen = '127.0.0.1:1'").is_err());
    }
}
