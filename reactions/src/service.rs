//! All of it running, from the first checkpoint to the drain.

use std::sync::Arc;

use projections::Feed;
use storage::StorageError;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::follow::Follower;
use crate::pool::{Options, Pool};
use crate::registry::Registry;
use crate::status::{Doing, Status};
use crate::watch::{Part, watched};

/// Runs until it is drained, or cut off by being dropped.
#[derive(Debug)]
pub struct Reactions {
    status: Status,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Reactions {
    /// Registers what is new at the present end of the log, and begins. Whatever is appended afterwards is reacted to.
    pub async fn start(feed: &Feed, registry: Registry, options: Options) -> Result<Self, StorageError> {
        let Registry { reactors, workers } = registry;
        let (status, stop) = (Status::default(), watch::Sender::new(false));
        let (store, mut tasks) = (feed.store(), JoinSet::new());
        for reactor in reactors {
            let position = store.register_reactor(reactor.name()).await?;
            status.reactor(reactor.name(), position, Doing::Following);
            let (part, feed, told) = (Part::Reactor(reactor.name()), feed.clone(), stop.subscribe());
            let follower = Follower { reactor, feed, status: status.clone() };
            let follow = move || follower.clone().run(told.clone());
            tasks.spawn(watched(part, status.clone(), stop.subscribe(), follow));
        }
        let pool = Arc::new(Pool::new(store.clone(), workers, options, status.clone()));
        let told = stop.subscribe();
        // The same one again, which knows what it had claimed.
        let work = move || pool.clone().run(told.clone());
        tasks.spawn(watched(Part::Pool, status.clone(), stop.subscribe(), work));
        Ok(Self { status, stop, tasks })
    }

    pub fn status(&self) -> Status {
        self.status.clone()
    }

    /// Claims nothing more, lets what is under way end within the time for it, and gives the rest back.
    pub async fn drain(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a fault of ours");
            }
        }
    }
}
