//! A bus on a database of the test's own, on either engine.

use commands::{Actor, ActorKind, Bus, Keys, Request, Role};
use storage::{Config, Store};
use testbed::Place;
pub(crate) use testbed::on_both;
use vault::MasterKey;

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

    /// Keys of this database, under a master key of the test's own.
    pub(crate) async fn keys(&self) -> Keys {
        Keys::open(self.bus.store(), &MasterKey::draw().unwrap()).await.unwrap()
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
