//! Our bus.

use commands::{Actor, ActorKind, Bus, Request, Role};
use domain::incident::Incident;
use storage::{Config, Store};

use crate::load::{Side, command};

pub struct Ours {
    pub bus: Bus,
    actor: Actor,
}

impl Ours {
    pub async fn open(url: &str) -> Self {
        let store = Store::open(&Config::new(url)).await.expect("our store opens");
        Self { bus: Bus::new(store), actor: Actor::everywhere(ActorKind::User, "bench", Role::PlatformAdmin) }
    }

    pub fn request(&self) -> Request {
        Request::new(self.actor.clone())
    }

    /// Carries out a command, and says at which position it stands.
    pub async fn send(&self, stream: &str, step: usize) -> u64 {
        let (request, command) = (self.request(), command(step));
        let outcome = if step == 0 {
            self.bus.create::<Incident>(&request, stream, &command).await
        } else {
            self.bus.execute::<Incident>(&request, stream, &command).await
        };
        outcome.expect("our bus records it").position
    }
}

impl Side for Ours {
    async fn command(&self, stream: &str, step: usize) {
        self.send(stream, step).await;
    }

    async fn events(&self) -> u64 {
        self.bus.store().head().await.expect("our log has a head")
    }
}
