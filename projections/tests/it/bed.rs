//! A database of the test's own on either engine, with views that follow its log.

use std::time::Duration;

use projections::registry::{Registration, VIEWS};
use projections::{Feed, Phase, Views};
use storage::{Config, Store};
use testbed::Place;
pub(crate) use testbed::on_both;
use uuid::Uuid;

/// How long a view may take for anything in a test.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Bed {
    place: Place,
}

impl Bed {
    #[expect(clippy::unused_async, reason = "other beds open what is there")]
    pub(crate) async fn on(place: Place) -> Self {
        Self { place }
    }

    /// A node of its own: it shares nothing with others but the database.
    pub(crate) async fn store(&self) -> Store {
        Store::open(&Config::new(self.place.url())).await.expect("the database opens")
    }
}

pub(crate) fn start(store: &Store) -> Views {
    start_with(store, VIEWS)
}

pub(crate) fn start_with(store: &Store, views: &[Registration]) -> Views {
    Views::start(&Feed::new(store.clone()), fresh(), views)
}

/// Waits until every view has folded the whole log, and may be read.
pub(crate) async fn settled(views: &Views) {
    let head = views.store().head().await.expect("the log has a head");
    testbed::eventually("all views have folded the log and are live", || async {
        views.standings().iter().all(|standing| standing.position >= head && standing.phase == Phase::Live)
    })
    .await;
}

#[expect(clippy::disallowed_methods, reason = "nodes, and the events of tests, have ids of their own")]
pub(crate) fn fresh() -> Uuid {
    Uuid::now_v7()
}
