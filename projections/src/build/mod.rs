//! A view folded from the whole log in bulk, into a generation of its own: stream by stream where it can be, so that
//! memory does not grow with the log. Creates no work and reaches nobody.

mod filling;
mod parts;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use storage::documents::{Commit, Committed, Halt, Table, ViewRow};
use storage::{StorageError, Store};
use tokio::time::sleep;
use uuid::Uuid;

use self::filling::Filling;
use self::parts::{Part, Parts};
use crate::fold::{Folded, Kept, Panicked, Plan, Poisoned, fold, trim};
use crate::view::Origin;
use crate::{Event, View};

/// Events read at once.
const EVENTS: usize = 4_000;
/// What documents of several streams may weigh in memory, in bytes.
const KEPT: usize = 128 << 20;
/// For how long a node says that it builds, and how often it says so.
const LEASE: Duration = Duration::from_secs(10);
const BETWEEN_LEASES: Duration = Duration::from_secs(2);
/// Tries to put a build in the place of a view that moves on meanwhile.
const PROMOTIONS: usize = 200;

/// How far a build is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Built {
    /// Events read, of those that there are to read.
    pub events: u64,
    pub of: u64,
    pub documents: u64,
}

/// Who is told how far a build is.
pub type Observer<'a> = &'a mut (dyn FnMut(Built) + Send);

#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("position {}: {}", .0.position, .0.why)]
    Halted(Halt),
    #[error("the view moved on faster than the new generation could follow")]
    Outrun,
}

/// Fills the live view of an empty or foreign table, while others are kept from it; then it is another generation.
pub(crate) async fn in_place<V: View>(
    store: &Store,
    me: Uuid,
    table: &Table,
    row: &ViewRow,
) -> Result<(), StorageError> {
    let nothing = Commit { from: row.position, to: row.position, documents: &[], touches: &[], counts: &[] };
    match store.commit_documents(table, me, LEASE, &nothing).await? {
        Committed::Done => {}
        // Another node is at it.
        Committed::Elsewhere(_) => {
            sleep(BETWEEN_LEASES).await;
            return Ok(());
        }
    }
    tracing::info!(view = V::NAME, version = V::VERSION, "building the view from the log");
    let mut nobody = |_| {};
    let building = async {
        let (table, _) = generation::<V>(store, store.head().await?, &mut nobody).await?;
        promote::<V>(store, &table).await
    };
    // On its own: a build may hold the only connection that writes.
    let renewing = async {
        loop {
            sleep(BETWEEN_LEASES).await;
            if let Err(error) = store.commit_documents(table, me, LEASE, &nothing).await {
                tracing::debug!(view = V::NAME, %error, "the lease of a build was not renewed");
            }
        }
    };
    let built = tokio::select! {
        built = building => built,
        () = renewing => return Ok(()),
    };
    match built {
        Ok(()) => Ok(()),
        Err(BuildError::Storage(error)) => Err(error),
        Err(BuildError::Outrun) => Err(StorageError::Unavailable(BuildError::Outrun.to_string())),
        Err(BuildError::Halted(halt)) => {
            // A view that cannot be built stands where it stood, and says why.
            tracing::error!(view = V::NAME, position = halt.position, why = halt.why, "the view cannot be built");
            store.halt_view(V::NAME, V::VERSION, row.generation, row.position, &halt).await.map(drop)
        }
    }
}

/// Builds a generation and puts it in the place of the live one, which goes on being read and moved meanwhile.
pub async fn rebuild<V: View>(store: &Store, observer: Observer<'_>) -> Result<Built, BuildError> {
    let (table, built) = generation::<V>(store, store.head().await?, observer).await?;
    promote::<V>(store, &table).await?;
    Ok(built)
}

/// A generation beside the live one that holds the log up to `until`.
pub async fn generation<V: View>(
    store: &Store,
    until: u64,
    observer: Observer<'_>,
) -> Result<(Table, Built), BuildError> {
    let table = store.begin_build(&V::shape()).await?;
    let mut building = Building::<V> {
        store,
        table: table.clone(),
        skips: store.view_skips(V::NAME, V::VERSION).await?.into_iter().collect(),
        kept: HashMap::new(),
        poisoned: Poisoned::new(),
        built: Built { of: until, ..Built::default() },
        filling: Filling::new(store, &table),
    };
    let filled = match building.all(until, observer).await {
        Ok(()) => store.finish_build(&table, until).await.map_err(BuildError::from),
        Err(error) => Err(error),
    };
    match filled {
        Ok(()) => Ok((table, building.built)),
        Err(error) => Err(abandoned::<V>(store, &table, error).await),
    }
}

/// Lets go of a build that came to nothing.
async fn abandoned<V: View>(store: &Store, table: &Table, error: BuildError) -> BuildError {
    if let Err(error) = store.abandon_build(table).await {
        tracing::warn!(view = V::NAME, %error, "the abandoned build stays until the next one");
    }
    error
}

/// Follows the log with a finished build until it may take the live one's place.
async fn promote<V: View>(store: &Store, table: &Table) -> Result<(), BuildError> {
    match catch_up_and_promote::<V>(store, table).await {
        Ok(()) => Ok(()),
        Err(error) => Err(abandoned::<V>(store, table, error).await),
    }
}

async fn catch_up_and_promote<V: View>(store: &Store, table: &Table) -> Result<(), BuildError> {
    let skips: BTreeSet<u64> = store.view_skips(V::NAME, V::VERSION).await?.into_iter().collect();
    let builds = store.view_builds().await?;
    let build = builds.iter().find(|build| build.name == V::NAME && build.generation == table.generation());
    let mut position = build.map_or(0, |build| build.position);
    let (mut kept, mut poisoned) = (HashMap::new(), Poisoned::new());
    for _ in 0..PROMOTIONS {
        loop {
            let events: Vec<Event> = store.read_part(position, EVENTS).await?.into_iter().map(Event::read).collect();
            if events.is_empty() {
                break;
            }
            let (to, folded) = batch::<V>(store, table, position, &events, &skips, &mut kept, &mut poisoned).await?;
            if !commit(store, table, position, to, &folded).await? {
                return Err(BuildError::Outrun);
            }
            trim(&mut kept, &folded.documents, KEPT);
            position = to;
        }
        if store.promote_build(table, position).await? {
            if let Err(error) = store.drop_old_generations(&V::shape()).await {
                tracing::warn!(view = V::NAME, %error, "the old generation stays until the next build");
            }
            return Ok(());
        }
    }
    Err(BuildError::Outrun)
}

async fn commit(store: &Store, table: &Table, from: u64, to: u64, folded: &Folded) -> Result<bool, StorageError> {
    let Folded { documents, touches, counts } = folded;
    store.commit_build(table, &Commit { from, to, documents, touches, counts }).await
}

/// Folds a part of the log, in its order, into a generation under construction.
async fn batch<V: View>(
    store: &Store,
    table: &Table,
    from: u64,
    events: &[Event],
    skips: &BTreeSet<u64>,
    kept: &mut HashMap<String, Kept<V>>,
    poisoned: &mut Poisoned,
) -> Result<(u64, Folded), BuildError> {
    loop {
        let plan = Plan::of::<V>(from, events, skips, poisoned);
        if let Some(halt) = plan.halt {
            return Err(BuildError::Halted(halt));
        }
        let missing = plan.missing(kept);
        for stored in store.load_documents(table, &missing).await? {
            let key = stored.key.clone();
            let one = Kept::of(stored).map_err(|error| StorageError::Incompatible(format!("{key}: {error}")))?;
            kept.insert(key, one);
        }
        let to = plan.to;
        match fold(plan, kept) {
            Ok(folded) => return Ok((to, folded)),
            Err(Panicked { key, position, why }) => {
                poisoned.insert((key, position), why);
                kept.clear();
            }
        }
    }
}

struct Building<'a, V> {
    store: &'a Store,
    table: Table,
    skips: BTreeSet<u64>,
    kept: HashMap<String, Kept<V>>,
    poisoned: Poisoned,
    built: Built,
    filling: Filling,
}

impl<V: View> Building<'_, V> {
    async fn all(&mut self, until: u64, observer: Observer<'_>) -> Result<(), BuildError> {
        match V::ORIGIN {
            Origin::Streams => self.in_order_of_the_log(until, observer).await,
            Origin::Stream | Origin::Event => self.stream_by_stream(until, observer).await,
        }
    }

    /// Each document is whole before the next one begins.
    async fn stream_by_stream(&mut self, until: u64, observer: Observer<'_>) -> Result<(), BuildError> {
        for aggregate_type in V::READS {
            let mut parts = Parts::of_streams(self.store.clone(), aggregate_type, until);
            let mut next = parts.next().await?;
            while let Some(part) = next {
                // Where the next part goes on with the last stream of this one, its document is not whole.
                next = parts.next().await?;
                let goes_on = next.as_ref().and_then(Part::first_stream).filter(|id| part.last_stream() == Some(*id));
                let goes_on = goes_on.map(str::to_owned);
                let folded = self.folded(&part)?;
                self.kept.retain(|key, _| Some(key) == goes_on.as_ref());
                self.write(folded, goes_on.as_deref()).await?;
                self.built.events += part.events.len() as u64;
                observer(self.built);
            }
        }
        Ok(self.filling.end().await?)
    }

    fn folded(&mut self, part: &Part) -> Result<Folded, BuildError> {
        let before = self.kept.clone();
        loop {
            let plan = Plan::of::<V>(0, &part.events, &self.skips, &self.poisoned);
            if let Some(halt) = plan.halt {
                return Err(BuildError::Halted(halt));
            }
            match fold(plan, &mut self.kept) {
                Ok(folded) => return Ok(folded),
                Err(Panicked { key, position, why }) => {
                    self.poisoned.insert((key, position), why);
                    self.kept.clone_from(&before);
                }
            }
        }
    }

    async fn write(&mut self, mut folded: Folded, but: Option<&str>) -> Result<(), StorageError> {
        folded.documents.retain(|document| V::ORIGIN == Origin::Event || Some(document.key.as_str()) != but);
        self.built.documents += folded.documents.len() as u64;
        self.filling.add(folded).await
    }

    /// With as many documents in memory as the bound allows, the others loaded again.
    async fn in_order_of_the_log(&mut self, until: u64, observer: Observer<'_>) -> Result<(), BuildError> {
        let mut position = 0;
        while position < until {
            let limit = usize::try_from(until - position).map_or(EVENTS, |rest| rest.min(EVENTS));
            let events = self.store.read_part(position, limit).await?;
            let events: Vec<Event> = events.into_iter().map(Event::read).collect();
            let Self { store, table, skips, kept, poisoned, .. } = self;
            let (to, folded) = batch::<V>(store, table, position, &events, skips, kept, poisoned).await?;
            if to == position || !commit(store, table, position, to, &folded).await? {
                return Err(BuildError::Outrun);
            }
            trim(kept, &folded.documents, KEPT);
            position = to;
            self.built = Built {
                events: position,
                documents: self.built.documents + folded.documents.len() as u64,
                ..self.built
            };
            observer(self.built);
        }
        Ok(())
    }
}
