//! One view following the log: fold a batch, commit it where the view stands, and go on; when another node was faster,
//! take up its position.

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use storage::documents::{Commit, Committed, HaltKind, Table, ViewRow};
use storage::{StorageError, Store};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::event::in_short;
use crate::feed::Feed;
use crate::fold::{Kept, Panicked, Plan, Poisoned, fold, trim, words_of};
use crate::progress::{Phase, Progress};
use crate::{Event, View, build};

/// For how long a commit keeps the others from trying. It saves their work, no more; so long it takes until another
/// node goes on with a view whose node died, and that is less than an answer waits for a view.
const LEASE: Duration = Duration::from_secs(1);
/// How often a node looks how far the one is that moves a view.
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);
/// How often a view that stands still by itself is looked at, and one that has nothing to do.
const STANDING_STILL: Duration = Duration::from_millis(500);
const IDLE: Duration = Duration::from_secs(2);
/// After a failure; it doubles up to the bound.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What documents kept between batches may weigh, in bytes.
const KEPT: usize = 32 << 20;
/// Events a fresh view folds one batch after the other; where there are more, it is built in bulk.
const FEW: u64 = 20_000;

/// Everything that a view needs to follow the log.
#[derive(Debug)]
pub(crate) struct Follower<V> {
    store: Store,
    feed: Feed,
    me: Uuid,
    progress: Arc<Progress>,
    kept: HashMap<String, Kept<V>>,
    poisoned: Poisoned,
}

/// What a node knows of the view that it follows.
struct Place {
    table: Table,
    row: ViewRow,
    skips: BTreeSet<u64>,
    /// Where the log ended when it was opened: from there on it may be read.
    due: u64,
}

impl<V: View> Follower<V> {
    pub(crate) fn new(store: Store, feed: Feed, me: Uuid, progress: Arc<Progress>) -> Self {
        Self { store, feed, me, progress, kept: HashMap::new(), poisoned: Poisoned::new() }
    }

    /// Follows for ever. Whatever fails is tried again: only the log and the view's own row say where it stands.
    pub(crate) async fn run(mut self) {
        let (mut pause, mut since) = (FIRST_PAUSE, Instant::now());
        loop {
            // A panic beyond the folds, which are caught where they happen, must not end the view for good.
            let trouble = match AssertUnwindSafe(self.follow(&mut pause)).catch_unwind().await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(panic) => Some(in_short(&format!("it panicked, a fault of ours: {}", words_of(&*panic)))),
            };
            match trouble {
                None => pause = FIRST_PAUSE,
                Some(why) => {
                    tracing::warn!(view = V::NAME, why, "the view is tried again");
                    if pause == FIRST_PAUSE {
                        // It had got on since whatever failed before.
                        since = Instant::now();
                    }
                    self.progress.trouble(why, since);
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            self.kept.clear();
        }
    }

    /// Opens the view and moves it until its table, or the history, is another one.
    async fn follow(&mut self, pause: &mut Duration) -> Result<(), StorageError> {
        let mut place = self.open().await?;
        let generation = place.row.generation;
        while place.row.generation == generation && *self.store.epoch().await? == *place.row.epoch {
            if place.row.halt.is_some() || place.row.paused {
                self.stand_still(&mut place).await?;
                if place.row.position == 0 {
                    // Perhaps it may be built now.
                    return Ok(());
                }
            } else {
                self.advance(&mut place).await?;
            }
            *pause = FIRST_PAUSE;
        }
        Ok(())
    }

    async fn open(&mut self) -> Result<Place, StorageError> {
        let (mut table, mut row) = self.store.open_view(&V::shape()).await?;
        while self.must_be_built(&row).await? {
            self.progress.phase(Phase::Building);
            build::in_place::<V>(&self.store, self.me, &table, &row).await?;
            (table, row) = self.store.open_view(&V::shape()).await?;
        }
        let (skips, due) = (self.skips().await?, self.store.head().await?);
        // What stands still may be read as it is, if it ever was whole.
        let stands_still = row.position > 0 && (row.halt.is_some() || row.paused);
        self.progress.opened(table.clone(), &row, row.position >= due || stands_still);
        Ok(Place { table, row, skips, due })
    }

    async fn skips(&self) -> Result<BTreeSet<u64>, StorageError> {
        Ok(self.store.view_skips(V::NAME, V::VERSION).await?.into_iter().collect())
    }

    /// Whether nothing but a build brings the view on: it is empty and the log is long, or it is of another history.
    async fn must_be_built(&self, row: &ViewRow) -> Result<bool, StorageError> {
        if row.halt.is_some() || row.paused {
            return Ok(false);
        }
        let head = self.store.head().await?;
        if row.position > head {
            // The log's file was put back by hand: there is no telling what this was folded from.
            tracing::warn!(view = V::NAME, "the view is ahead of the log, and is made anew");
            self.store.drop_view(V::NAME, V::VERSION).await?;
            return Err(StorageError::Superseded(format!("the view {} was ahead of the log", V::NAME)));
        }
        Ok(self.is_foreign(row).await? || (row.position == 0 && head > FEW))
    }

    /// Whether a view holds events of a history that is not, or no longer, this one.
    async fn is_foreign(&self, row: &ViewRow) -> Result<bool, StorageError> {
        let epochs = self.store.epochs().await?;
        let Some((present, _)) = epochs.last().filter(|(present, _)| *present != row.epoch) else { return Ok(false) };
        // What was begun after the view's epoch shares with it everything up to where it began.
        let begun = epochs.iter().skip_while(|(epoch, _)| *epoch != row.epoch).skip(1);
        let shared = begun.map(|(_, after)| *after).min();
        if shared.is_none_or(|shared| row.position > shared) {
            tracing::warn!(view = V::NAME, "the view is of another history, and is built anew");
            return Ok(true);
        }
        self.store.set_view_epoch(V::NAME, V::VERSION, present).await?;
        // As it stands now.
        Err(StorageError::Superseded(format!("the view {} belongs to a new epoch", V::NAME)))
    }

    /// Takes part in moving the view: by a batch of its own, or by watching the one who does.
    async fn advance(&mut self, place: &mut Place) -> Result<(), StorageError> {
        let others = place.row.held_for_us > 0 && place.row.held_by != Some(self.me);
        let Some(chunk) = self.feed.ready(place.row.position).await? else {
            self.progress.at_the_end();
            return match timeout(IDLE, self.feed.after(place.row.position)).await {
                Ok(news) if !others => news.map(drop),
                // Moved by another node; or nothing happened, but somebody may have paused it.
                Ok(_) | Err(_) => self.look(place).await,
            };
        };
        if others {
            sleep(BETWEEN_LOOKS).await;
            return self.look(place).await;
        }
        let events = chunk.events();
        self.progress.head(self.feed.heard().max(events.last().map_or(0, Event::position)));
        self.fold(place, events).await
    }

    async fn fold(&mut self, place: &mut Place, events: &[Event]) -> Result<(), StorageError> {
        let from = place.row.position;
        let plan = Plan::of::<V>(from, events, &place.skips, &self.poisoned);
        let (to, halt) = (plan.to, plan.halt.clone());
        let missing = plan.missing(&self.kept);
        for stored in self.store.load_documents(&place.table, &missing).await? {
            let key = stored.key.clone();
            let kept = Kept::of(stored).map_err(|error| unreadable::<V>(&key, &error))?;
            self.kept.insert(key, kept);
        }
        let folded = match fold(plan, &mut self.kept) {
            Ok(folded) => folded,
            Err(Panicked { key, position, why }) => {
                tracing::error!(view = V::NAME, key, position, why, "an event cannot be folded");
                self.poisoned.insert((key, position), why);
                self.kept.clear();
                return Ok(());
            }
        };
        if to > from {
            let commit =
                Commit { from, to, documents: &folded.documents, touches: &folded.touches, counts: &folded.counts };
            match self.store.commit_documents(&place.table, self.me, LEASE, &commit).await? {
                Committed::Done => self.moved(place, to),
                Committed::Elsewhere(row) => {
                    self.kept.clear();
                    return self.take_up(place, row).await;
                }
            }
            trim(&mut self.kept, &folded.documents, KEPT);
        }
        if let Some(halt) = halt {
            // What it cannot pass may have been skipped while this node looked elsewhere.
            place.skips = self.skips().await?;
            if place.skips.contains(&halt.position) {
                return Ok(());
            }
            tracing::error!(view = V::NAME, position = halt.position, why = halt.why, "the view stops");
            self.store.halt_view(V::NAME, V::VERSION, place.row.generation, to, &halt).await?;
            self.look(place).await?;
        }
        Ok(())
    }

    fn moved(&self, place: &mut Place, to: u64) {
        place.row.position = to;
        place.row.held_by = Some(self.me);
        self.progress.reached(to, to >= place.due);
    }

    /// Reads where the view stands now.
    async fn look(&mut self, place: &mut Place) -> Result<(), StorageError> {
        let row = self.store.view_row(V::NAME, V::VERSION).await?;
        let row = row.ok_or_else(|| StorageError::Superseded(format!("the view {} is gone", V::NAME)))?;
        self.take_up(place, row).await
    }

    async fn take_up(&mut self, place: &mut Place, row: ViewRow) -> Result<(), StorageError> {
        if row.position != place.row.position || row.generation != place.row.generation {
            self.kept.clear();
        }
        if row.halt != place.row.halt {
            place.skips = self.skips().await?;
        }
        // Of another generation there is nothing to be read here: it is opened next.
        if row.generation == place.row.generation {
            self.progress.row(&row, row.position >= place.due);
        }
        place.row = row;
        Ok(())
    }

    /// Halted or paused: until somebody does something about it. Nobody else waits for it.
    async fn stand_still(&mut self, place: &mut Place) -> Result<(), StorageError> {
        self.progress.head(self.store.head().await?);
        self.poisoned.clear();
        let unknown = place.row.halt.as_ref().filter(|halt| halt.kind == HaltKind::Unknown && !place.row.paused);
        // At once, then: an older binary beside this one would stop the view again.
        if unknown.is_none() || !self.goes_on(unknown.map_or(0, |halt| halt.position)).await? {
            sleep(STANDING_STILL).await;
        }
        self.look(place).await
    }

    /// What stopped an older binary may be known to this one; then the view is resumed.
    async fn goes_on(&self, position: u64) -> Result<bool, StorageError> {
        let event = self.store.read_after(position.saturating_sub(1), 1).await?.pop().map(Event::read);
        if !matches!(event, Some(Event::Decoded(_))) {
            return Ok(false);
        }
        tracing::info!(view = V::NAME, position, "the view goes on: this binary knows the event");
        self.store.resume_view(V::NAME, V::VERSION).await
    }
}

fn unreadable<V: View>(key: &str, error: &serde_json::Error) -> StorageError {
    StorageError::Incompatible(format!("{} of the view {} does not read back: {error}", key, V::NAME))
}
