//! A database of a test's own on either engine, and the macro that runs scenarios on both.

use tempfile::TempDir;

use crate::Cluster;

/// Gone with its owner on SQLite, with the cluster on PostgreSQL.
#[derive(Debug)]
pub struct Place {
    url: String,
    folder: Option<TempDir>,
}

impl Place {
    /// A file that does not exist yet.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { url: file(&folder, "log.db"), folder: Some(folder) }
    }

    /// An empty database in the shared cluster.
    pub async fn postgres() -> Self {
        Self { url: Cluster::shared().database().await, folder: None }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn is_sqlite(&self) -> bool {
        self.folder.is_some()
    }

    /// The URL of another empty database of this kind, which lives as long as this one.
    pub async fn twin(&self) -> String {
        match &self.folder {
            Some(folder) => file(folder, "twin.db"),
            None => Cluster::shared().database().await,
        }
    }
}

fn file(folder: &TempDir, name: &str) -> String {
    format!("sqlite:{}", folder.path().join(name).display())
}

/// Makes a test of each scenario, `async fn(&Bed)`, on SQLite and on PostgreSQL. The bed is the one of the tests that ask:
/// `crate::bed::Bed::on` makes it at a [`Place`].
#[macro_export]
#[expect(clippy::crate_in_macro_def, reason = "the bed is that of the tests that ask")]
macro_rules! on_both {
    ($($scenario:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(&crate::bed::Bed::on($crate::Place::sqlite()).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(&crate::bed::Bed::on($crate::Place::postgres().await).await).await;
            })+
        }
    };
}
