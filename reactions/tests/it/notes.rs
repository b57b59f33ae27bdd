//! A reaction that exists for the tests: whoever declares an incident gets a note in return. Notes are what no state
//! remembers, so a note that is told twice stands there twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use commands::{Bus, Request};
use domain::Aggregate;
use domain::incident::{Command, Event, Incident};
use futures_util::future::BoxFuture;
use projections::Decoded;
use reactions::{Assignment, Outcome, Reactor, Registry, Work, Worker};
use serde_json::json;
use tokio::sync::Semaphore;

pub(crate) const KIND: &str = "thank";

/// Asks for a note on every declaration.
pub(crate) struct Thank;

impl Reactor for Thank {
    fn name(&self) -> &'static str {
        KIND
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[Incident::TYPE]
    }

    fn react(&self, event: &Decoded) -> Vec<Work> {
        let Some(Event::Declared(_)) = event.of::<Incident>() else { return vec![] };
        let id = event.aggregate_id();
        vec![Work { kind: KIND, lane: id.to_owned(), priority: 0, payload: json!({ "id": id }), run_at: None }]
    }
}

/// Between which steps a worker stops for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Never,
    BeforeTelling,
    AfterTelling,
    /// Says that it is done, and is not heard.
    Panicking,
}

/// Writes the note, but for the first so many runs, which stop on the way.
#[derive(Clone)]
pub(crate) struct Note {
    pub(crate) bus: Bus,
    pub(crate) stop: Stop,
    /// Under its claim. Without it nothing tells one telling from the next.
    pub(crate) claimed: bool,
    pub(crate) stopping: Arc<AtomicUsize>,
    /// Runs that have begun, and of these the ones that wait at their stop.
    pub(crate) begun: Arc<AtomicUsize>,
    pub(crate) waiting: Arc<AtomicUsize>,
    /// Whoever waits goes on with a permit.
    pub(crate) go_on: Arc<Semaphore>,
}

impl Note {
    pub(crate) fn new(bus: &Bus) -> Self {
        Self::stopping_at(bus, Stop::Never, 0)
    }

    pub(crate) fn stopping_at(bus: &Bus, stop: Stop, runs: usize) -> Self {
        Self {
            bus: bus.clone(),
            stop,
            claimed: true,
            stopping: Arc::new(AtomicUsize::new(runs)),
            begun: Arc::default(),
            waiting: Arc::default(),
            go_on: Arc::new(Semaphore::new(0)),
        }
    }

    pub(crate) fn registry(&self) -> Registry {
        Registry::default().reactor(Thank).worker(self.clone())
    }

    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    async fn wait_at(&self, here: Stop, stops: bool) {
        if stops && self.stop == here {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            self.go_on.acquire().await.unwrap().forget();
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
    }

    async fn write(&self, assignment: Assignment) -> Outcome {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let fewer = |left: usize| left.checked_sub(1);
        let stops = self.stopping.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok();
        assert!(!stops || self.stop != Stop::Panicking, "as it was told to");
        self.wait_at(Stop::BeforeTelling, stops).await;
        let request =
            if self.claimed { assignment.request.clone() } else { Request::new(assignment.request.actor.clone()) };
        let by = request.actor.id.clone();
        let id = assignment.payload["id"].as_str().unwrap_or_default();
        let note = Command::AddNote { by, text: "Thank you".to_owned() };
        let told = Outcome::of(self.bus.execute::<Incident>(&request, id, &note).await);
        self.wait_at(Stop::AfterTelling, stops).await;
        if self.claimed { told } else { Outcome::Done }
    }
}

impl Worker for Note {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run(&self, assignment: Assignment) -> BoxFuture<'_, Outcome> {
        Box::pin(self.write(assignment))
    }

    fn attempts(&self) -> i32 {
        3
    }
}
