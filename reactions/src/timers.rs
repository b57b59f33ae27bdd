//! Timers: an event sets one, and when it is due it fires as a command. None is ever cancelled: the aggregate finds a
//! late one stale, and refuses an early one.

use std::marker::PhantomData;
use std::time::Duration;

use commands::{Bus, CommandError, Governed, Request};
use domain::{Aggregate, Refusal};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use projections::Decoded;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::reactor::{Reactor, Work};
use crate::worker::{Assignment, Outcome, Worker};

/// One kind of timer: its reactor and its worker.
pub trait Timer: Send + Sync + 'static {
    type Of: Governed;
    /// What the command must name beside the time.
    type Memo: Serialize + DeserializeOwned + Send + Sync;
    /// Of its reactor and of its work. Never changes.
    const NAME: &'static str;

    /// When to fire, if the event sets a timer.
    fn set(event: &<Self::Of as Aggregate>::Event) -> Option<(Timestamp, Self::Memo)>;

    /// What to ask for at `at`, when the timer that was set for `due` fires.
    fn fire(memo: Self::Memo, due: Timestamp, at: Timestamp) -> <Self::Of as Aggregate>::Command;

    /// Asks for it. A timer whose firing changes more than its own aggregate runs a procedure here.
    fn put<'a>(
        bus: &'a Bus,
        request: &'a Request,
        id: &'a str,
        command: <Self::Of as Aggregate>::Command,
    ) -> BoxFuture<'a, Result<commands::Outcome, CommandError>> {
        Box::pin(async move { bus.execute::<Self::Of>(request, id, &command).await })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Alarm<M> {
    /// The aggregate that it is for.
    id: String,
    due: Timestamp,
    memo: M,
}

/// Sets the timers of one kind.
pub(crate) struct Setting<T>(PhantomData<T>);

impl<T> Default for Setting<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: Timer> Setting<T> {
    const AGGREGATES: &'static [&'static str] = &[<T::Of as Aggregate>::TYPE];
}

impl<T: Timer> Reactor for Setting<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn aggregates(&self) -> &'static [&'static str] {
        Self::AGGREGATES
    }

    fn react(&self, event: &Decoded) -> Vec<Work> {
        let Some((due, memo)) = event.of::<T::Of>().and_then(T::set) else { return vec![] };
        let alarm = Alarm { id: event.aggregate_id().to_owned(), due, memo };
        // A lane of its own: no timer waits for another one.
        let lane = format!("{}:{}", T::NAME, event.recorded().event_id);
        vec![Work { kind: T::NAME, lane, priority: 0, payload: json!(alarm), run_at: Some(due) }]
    }
}

/// Fires the timers of one kind.
pub(crate) struct Firing<T> {
    bus: Bus,
    of: PhantomData<T>,
}

impl<T> Firing<T> {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus, of: PhantomData }
    }
}

impl<T: Timer> Worker for Firing<T> {
    fn kind(&self) -> &'static str {
        T::NAME
    }

    fn run(&self, assignment: Assignment) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let Alarm { id, due, memo } = match assignment.read::<Alarm<T::Memo>>() {
                Ok(alarm) => alarm,
                Err(outcome) => return outcome,
            };
            let at = assignment.at();
            let command = T::fire(memo, due, at);
            match T::put(&self.bus, &assignment.request, &id, command).await {
                Err(CommandError::Refused(refusal)) if refusal.code() == NOT_DUE => too_early(&refusal, due, at),
                result => Outcome::of(result),
            }
        })
    }
}

/// How an aggregate refuses a timer that fires before its time.
const NOT_DUE: &str = "not_due";

/// The database's clock was set back, or a person was impatient.
fn too_early(refusal: &Refusal, due: Timestamp, at: Timestamp) -> Outcome {
    let wait = Duration::try_from(due.duration_since(at)).unwrap_or_default().max(Duration::from_millis(1));
    Outcome::Retry { after: Some(wait), error: refusal.to_string() }
}
