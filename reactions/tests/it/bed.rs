//! A bus on a database of the test's own, on either engine, and reactions on top of it.

use std::time::Duration;

use commands::{Actor, ActorKind, Bus, Keys, Request, Role};
use domain::ids::ActorId;
use domain::incident::{Command, Declare, Event, Incident, Severity};
use domain::{Aggregate, StoredEvent};
use projections::{Decoded, Feed, Views};
use reactions::{Options, Reactions, Registry};
use storage::work::{WorkFilter, WorkRow, WorkState};
use storage::{Config, Recorded, Store, StreamId};
use testbed::Place;
pub(crate) use testbed::on_both;
use vault::MasterKey;

#[derive(Debug)]
pub(crate) struct Bed {
    pub(crate) bus: Bus,
    pub(crate) keys: Keys,
    place: Place,
}

impl Bed {
    pub(crate) async fn on(place: Place) -> Self {
        let bus = open(place.url()).await;
        let keys = Keys::open(bus.store(), &MasterKey::draw().unwrap()).await.unwrap();
        Self { bus, keys, place }
    }

    /// The bus of another node: it shares nothing with the first one but the database.
    pub(crate) async fn another_node(&self) -> Bus {
        open(self.place.url()).await
    }

    pub(crate) fn store(&self) -> &Store {
        self.bus.store()
    }

    /// All that the product does unasked, on the first node.
    pub(crate) async fn reactions(&self) -> Reactions {
        self.start(self.registry()).await
    }

    /// What the product does, on views that follow the log.
    pub(crate) fn registry(&self) -> Registry {
        let feed = Feed::new(self.store().clone());
        let views = Views::start(&feed, commands::ids::fresh(), projections::registry::VIEWS);
        Registry::of(&self.bus, &views, &self.keys)
    }

    pub(crate) async fn start(&self, registry: Registry) -> Reactions {
        Reactions::start(&Feed::new(self.store().clone()), registry, Options::default()).await.unwrap()
    }

    /// Lets the reactors begin at the present end of the log, without doing anything yet.
    pub(crate) async fn register(&self, registry: Registry) {
        self.start(registry).await.drain().await;
    }

    pub(crate) async fn declare(&self, id: &str) {
        let declare = Declare::new(ActorId::new("ann"), "Down", Severity::Sev2);
        self.bus.create::<Incident>(&ann(), id, &Command::Declare(Box::new(declare))).await.unwrap();
    }

    pub(crate) async fn ask(&self, incident: &str, command: &Command) {
        self.bus.execute::<Incident>(&ann(), incident, command).await.unwrap();
    }

    pub(crate) async fn recorded(&self, aggregate_type: &str, id: &str) -> Vec<Recorded> {
        self.store().load(StreamId::new(aggregate_type, id), 0).await.unwrap()
    }

    /// The stored names of what happened to an incident after it was declared.
    pub(crate) async fn happened(&self, incident: &str) -> Vec<String> {
        let events = self.recorded(Incident::TYPE, incident).await;
        events.into_iter().skip(1).map(|event| event.event_type).collect()
    }

    /// How often something of this name happened to an incident.
    pub(crate) async fn count(&self, incident: &str, name: &str) -> usize {
        assert!(Event::NAMES.contains(&name));
        self.happened(incident).await.iter().filter(|happened| *happened == name).count()
    }

    /// Everything that was ever in the queue.
    pub(crate) async fn work(&self) -> Vec<WorkRow> {
        let mut rows = Vec::new();
        for state in WorkState::ALL {
            let filter = WorkFilter { state: Some(state), ..WorkFilter::default() };
            rows.extend(self.store().list_work(&filter, None, 500).await.unwrap());
        }
        rows
    }
}

async fn open(url: &str) -> Bus {
    Bus::new(Store::open(&Config::new(url)).await.unwrap())
}

pub(crate) fn ann() -> Request {
    Request::new(Actor::everywhere(ActorKind::User, "ann", Role::PlatformAdmin))
}

/// A lease that is soon over, for those who must take over.
pub(crate) fn short_lease() -> Options {
    Options { lease: Duration::from_secs(1), ..Options::default() }
}

pub(crate) fn decoded(event: Recorded) -> Decoded {
    Decoded::new(event).unwrap()
}
