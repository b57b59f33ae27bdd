//! A bus on a database of the test's own, on either engine.

use commands::{Actor, ActorKind, Bus, Request, Role};
use storage::{Config, Store};
use tempfile::TempDir;
use testbed::Cluster;

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
    pub(crate) bus: Bus,
    url: String,
    _folder: Option<TempDir>,
}

impl Bed {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("log.db").display());
        Self { bus: open(&url).await, url, _folder: Some(folder) }
    }

    pub(crate) async fn postgres() -> Self {
        let url = Cluster::shared().database().await;
        Self { bus: open(&url).await, url, _folder: None }
    }

    /// The bus of another node: it remembers nothing of what the first one saw.
    pub(crate) async fn another_node(&self) -> Bus {
        open(&self.url).await
    }

    pub(crate) async fn events(&self) -> u64 {
        self.bus.store().head().await.unwrap()
    }
}

async fn open(url: &str) -> Bus {
    Bus::new(Store::open(&Config::new(url)).await.unwrap())
}

pub(crate) fn admin(id: &str) -> Request {
    Request::new(Actor::everywhere(ActorKind::User, id, Role::PlatformAdmin))
}
