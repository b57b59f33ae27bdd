//! A bus on a database of the test's own, on either engine.

use commands::{Actor, ActorKind, Bus, Request, Role};
use storage::{Config, Store};
use testbed::Place;
pub(crate) use testbed::on_both;

#[derive(Debug)]
pub(crate) struct Bed {
    pub(crate) bus: Bus,
    place: Place,
}

impl Bed {
    pub(crate) async fn on(place: Place) -> Self {
        Self { bus: open(place.url()).await, place }
    }

    /// The bus of another node: it remembers nothing of what the first one saw.
    pub(crate) async fn another_node(&self) -> Bus {
        open(self.place.url()).await
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
