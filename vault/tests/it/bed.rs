//! A vault on a database of the test's own, on either engine.

use std::path::PathBuf;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};
use storage::{Config, Limits, Store};
use tempfile::TempDir;
use testbed::Cluster;
use vault::{MasterKey, Vault, VaultError};

/// Makes a test of each scenario on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($scenario:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(&crate::bed::Bed::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(&crate::bed::Bed::postgres().await).await;
            })+
        }
    };
}

pub(crate) use on_both;

#[derive(Debug)]
pub(crate) struct Bed {
    pub(crate) vault: Vault,
    pub(crate) store: Store,
    pub(crate) master: MasterKey,
    url: String,
    folder: Option<TempDir>,
}

impl Bed {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("log.db").display());
        Self::on(url, Some(folder)).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::on(Cluster::shared().database().await, None).await
    }

    async fn on(url: String, folder: Option<TempDir>) -> Self {
        let master = MasterKey::draw().unwrap();
        let store = Store::open(&Config::new(url.clone())).await.unwrap();
        let vault = Vault::open(store.clone(), &master).await.unwrap();
        Self { vault, store, master, url, folder }
    }

    /// The store of another node: nothing is shared with the first but the database.
    pub(crate) async fn another_store(&self) -> Store {
        Store::open_with(&Config::new(self.url.clone()), Limits::default()).await.unwrap()
    }

    /// The vault of another node, with the same master key.
    pub(crate) async fn another_node(&self) -> Vault {
        self.node_with(&self.master).await.unwrap()
    }

    pub(crate) async fn node_with(&self, master: &MasterKey) -> Result<Vault, VaultError> {
        Vault::open(self.another_store().await, master).await
    }

    /// Everything that stands in the database, as text: each row of each table of each schema that is ours.
    pub(crate) async fn everything(&self) -> String {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => everything_in_sqlite(&mut SqliteConnection::connect(path).await.unwrap()).await,
            None => everything_in_postgres(&mut PgConnection::connect(&self.url).await.unwrap()).await,
        }
    }

    /// The bytes of SQLite's files, of which nothing is left behind in its journal. None on PostgreSQL.
    pub(crate) async fn files(&self) -> Option<Vec<u8>> {
        let folder = self.folder.as_ref()?;
        let path = self.url.strip_prefix("sqlite:")?;
        let mut connection = SqliteConnection::connect(path).await.unwrap();
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
        let files: Vec<PathBuf> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
        Some(files.iter().flat_map(|file| std::fs::read(file).unwrap()).collect())
    }
}

async fn everything_in_sqlite(connection: &mut SqliteConnection) -> String {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let mut all = String::new();
    for table in column(&connection.fetch_all(tables).await.unwrap()) {
        let columns = format!("SELECT name FROM pragma_table_info('{table}')");
        let columns = column(&connection.fetch_all(AssertSqlSafe(columns)).await.unwrap());
        // Blobs as they are: a text in one is found as well.
        let texts: Vec<String> = columns.iter().map(|c| format!("coalesce(CAST(\"{c}\" AS TEXT), '')")).collect();
        let rows = format!("SELECT {} FROM \"{table}\"", texts.join(" || ' ' || "));
        all += &column(&connection.fetch_all(AssertSqlSafe(rows)).await.unwrap()).join("\n");
    }
    all
}

async fn everything_in_postgres(connection: &mut PgConnection) -> String {
    let tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
                   WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
    let mut all = String::new();
    for table in column(&connection.fetch_all(tables).await.unwrap()) {
        let rows = format!("SELECT row_to_json(t)::text FROM {table} t");
        // What is quoted in JSON within JSON reads as it was written.
        all += &column(&connection.fetch_all(AssertSqlSafe(rows)).await.unwrap()).join("\n").replace("\\\"", "\"");
    }
    all
}

fn column<R: Row>(rows: &[R]) -> Vec<String>
where
    usize: sqlx::ColumnIndex<R>,
    for<'r> String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    rows.iter().map(|row| row.get_unchecked::<String, _>(0)).collect()
}

/// Whether `text` stands in `bytes`.
pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
