//! One reactor on its way through the log. Its checkpoint and the work that it asks for move together, by
//! compare-and-set: two nodes may follow at once, and only one of them is heard.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use projections::{Chunk, Event, Feed};
use storage::StorageError;
use storage::work::NewWork;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::backoff::Backoff;
use crate::reactor::{Reactor, asked_for};
use crate::status::{Doing, Status};

/// Work that one step asks for, as soon as it is reached.
const WORK: usize = 500;
/// How long a checkpoint may stay behind events that asked for nothing. They are read again after a crash.
const UNKEPT: Duration = Duration::from_secs(1);
/// Between two looks of a node that stands by.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// Looks in a row at which the other node has not moved, though it should have, until this one goes on.
const PATIENCE: u32 = 3;
/// Before what could not be reacted to, or read, is tried again.
const SHORTEST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Why following ended.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// The checkpoint is not where this node left it.
    #[error("another node was faster")]
    Elsewhere,
    #[error("position {position}: {why}")]
    Halted { position: u64, why: String },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

#[derive(Clone)]
pub(crate) struct Follower {
    pub(crate) reactor: Arc<dyn Reactor>,
    pub(crate) feed: Feed,
    pub(crate) status: Status,
}

/// How far a follower is.
#[derive(Debug)]
struct Place {
    epoch: Arc<str>,
    /// As the checkpoint says.
    kept: u64,
    /// As it has read. What lies between asked for nothing.
    seen: u64,
    /// When the checkpoint must follow.
    keep_by: Option<Instant>,
}

impl Follower {
    /// Follows until told to stop.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut backoff = Backoff::new(SHORTEST_WAIT, LONGEST_WAIT);
        loop {
            let stopped = tokio::select! {
                stopped = self.follow(&mut backoff) => stopped,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let pause = self.pause_after(&stopped, &mut backoff);
            tokio::select! {
                () = pause => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn follow(&mut self, backoff: &mut Backoff) -> Stop {
        match self.place().await {
            Ok(mut place) => loop {
                match self.step(&mut place).await {
                    Ok(()) => {}
                    // A gap in the log, or work that the queue does not take: time does not heal it.
                    Err(Stop::Storage(error)) if !error.is_transient() => {
                        return Stop::Halted { position: place.seen + 1, why: error.to_string() };
                    }
                    Err(stop) => return stop,
                }
                backoff.reset();
            },
            Err(error) => error.into(),
        }
    }

    async fn place(&self) -> Result<Place, StorageError> {
        let epoch = self.feed.store().epoch().await?;
        let kept = self.feed.store().register_reactor(self.reactor.name()).await?;
        self.status.follows_again(self.reactor.name(), kept);
        Ok(Place { epoch, kept, seen: kept, keep_by: None })
    }

    /// Goes on by some events, or lets the checkpoint follow.
    async fn step(&mut self, place: &mut Place) -> Result<(), Stop> {
        let keep_by = place.keep_by;
        let due = async {
            match keep_by {
                Some(instant) => sleep_until(instant).await,
                None => std::future::pending().await,
            }
        };
        let chunk = tokio::select! {
            chunk = next(&self.feed, place) => chunk?,
            () = due => return self.keep(place, place.seen, &[]).await,
        };
        let Reaction { to, work, halt } = react(self.reactor.as_ref(), place.seen, chunk.events());
        if !work.is_empty() || (halt.is_some() && to > place.kept) {
            self.keep(place, to, &work).await?;
        } else if to > place.seen {
            place.seen = to;
            place.keep_by.get_or_insert_with(|| Instant::now() + UNKEPT);
            self.status.reactor(self.reactor.name(), to, Doing::Following);
        }
        halt.map_or(Ok(()), Err)
    }

    async fn keep(&self, place: &mut Place, to: u64, work: &[NewWork]) -> Result<(), Stop> {
        same_history(&self.feed, place).await?;
        if !self.feed.store().advance_reactor(self.reactor.name(), place.kept, to, work).await? {
            return Err(Stop::Elsewhere);
        }
        (place.kept, place.seen, place.keep_by) = (to, to, None);
        self.status.reactor(self.reactor.name(), to, Doing::Following);
        Ok(())
    }

    /// Says why it stopped, and how long it stays so.
    async fn pause_after(&mut self, stopped: &Stop, backoff: &mut Backoff) {
        let name = self.reactor.name();
        match stopped {
            Stop::Elsewhere => {
                tracing::debug!(reactor = name, "another node is faster; this one stands by");
                self.status.doing(name, Doing::StandingBy);
                return self.stand_by().await;
            }
            Stop::Halted { position, why } => {
                tracing::error!(reactor = name, position, %why, "a reactor has halted: this event must be made readable");
                self.status.doing(name, Doing::Halted { position: *position, why: why.clone() });
            }
            Stop::Storage(error) => {
                tracing::warn!(reactor = name, %error, "a reactor is interrupted; it is tried again");
                self.status.doing(name, Doing::Interrupted { why: error.to_string() });
            }
        }
        sleep(backoff.next()).await;
    }

    /// Waits until nobody else follows any more.
    async fn stand_by(&mut self) {
        let (mut before, mut unmoved) = (None, 0);
        while unmoved < PATIENCE {
            sleep(BETWEEN_LOOKS).await;
            let Ok(reactors) = self.feed.store().reactors().await else { continue };
            let now = reactors.into_iter().find(|(name, _)| name == self.reactor.name()).map(|(_, position)| position);
            let Ok(head) = self.feed.store().head().await else { continue };
            let is_behind = now.is_some_and(|now| now < head);
            unmoved = if is_behind && now == before { unmoved + 1 } else { 0 };
            before = now;
            self.status.reactor(self.reactor.name(), now.unwrap_or_default(), Doing::StandingBy);
        }
    }
}

/// The events after what was seen.
async fn next(feed: &Feed, place: &Place) -> Result<Chunk, Stop> {
    // Beside the read, which goes on meanwhile: a read that is set aside may hold what the look waits for.
    let elsewhere = async {
        loop {
            sleep(BETWEEN_LOOKS).await;
            if let Err(stop) = same_history(feed, place).await {
                return stop;
            }
        }
    };
    let chunk = tokio::select! {
        chunk = feed.after(place.seen) => chunk?,
        stop = elsewhere => return Err(stop),
    };
    same_history(feed, place).await?;
    Ok(chunk)
}

/// What was seen in another history may never have happened: back to what the database holds.
async fn same_history(feed: &Feed, place: &Place) -> Result<(), Stop> {
    if feed.store().epoch().await? == place.epoch { Ok(()) } else { Err(Stop::Elsewhere) }
}

/// What a reactor makes of some events.
struct Reaction {
    /// The last position that is dealt with.
    to: u64,
    work: Vec<NewWork>,
    /// What stands in the way of going on.
    halt: Option<Stop>,
}

fn react(reactor: &dyn Reactor, after: u64, events: &[Event]) -> Reaction {
    let mut reaction = Reaction { to: after, work: Vec::new(), halt: None };
    for event in events {
        let position = event.position();
        if reactor.aggregates().contains(&event.aggregate_type()) {
            match ask(reactor, event) {
                Ok(work) => reaction.work.extend(work),
                Err(why) => {
                    reaction.halt = Some(Stop::Halted { position, why });
                    return reaction;
                }
            }
        }
        reaction.to = position;
        if reaction.work.len() >= WORK {
            return reaction;
        }
    }
    reaction
}

fn ask(reactor: &dyn Reactor, event: &Event) -> Result<Vec<NewWork>, String> {
    let decoded = match event {
        Event::Decoded(decoded) => decoded,
        Event::Undecodable(event) => return Err(event.why.clone()),
    };
    catch_unwind(AssertUnwindSafe(|| asked_for(reactor, decoded)))
        .map_err(|panic| format!("the reactor panicked: {}", crate::run::words_of(panic.as_ref())))
}
