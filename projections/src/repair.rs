//! A parked document folded again from its stream, after whatever kept it from being folded was put right.

use std::collections::HashMap;
use std::time::Duration;

use storage::documents::{Commit, Committed};
use storage::{StorageError, Store, StreamId};
use uuid::Uuid;

use crate::fold::{Kept, Plan, Poisoned, fold};
use crate::view::Origin;
use crate::{Event, View};

/// Tries against a view that moves on meanwhile.
const TRIES: usize = 100;
/// For how long the view is held after the repair: longer than anybody needs for a batch.
const HELD: Duration = Duration::from_secs(2);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// Whether the document stands in the view again, up to the view's own position.
pub(crate) async fn unpark<V: View>(store: &Store, key: &str) -> Result<bool, StorageError> {
    let &[aggregate_type] = V::READS else { return Ok(false) };
    if V::ORIGIN != Origin::Stream {
        return Ok(false);
    }
    for _ in 0..TRIES {
        let (table, row) = store.open_view(&V::shape()).await?;
        let Some(stored) = store.load_documents(&table, &[key.to_owned()]).await?.pop() else { return Ok(false) };
        if stored.parked.is_none() {
            return Ok(true);
        }
        let skips = store.view_skips(V::NAME, V::VERSION).await?.into_iter().collect();
        let events = store.load(StreamId::new(aggregate_type, key), 0).await?;
        let events: Vec<Event> =
            events.into_iter().take_while(|event| event.position <= row.position).map(Event::read).collect();
        let plan = Plan::of::<V>(0, &events, &skips, &Poisoned::new());
        let mut kept: HashMap<String, Kept<V>> = HashMap::new();
        if plan.halt.is_some() {
            return Ok(false);
        }
        let Ok(mut folded) = fold(plan, &mut kept) else { return Ok(false) };
        // Nothing is left of it, or not all of it can be folded still.
        if folded.documents.is_empty() || folded.documents.iter().any(|document| document.parked.is_some()) {
            return Ok(false);
        }
        // It was counted as what it was when it was parked.
        let was = Kept::<V>::of(stored).map_err(|error| StorageError::Incompatible(format!("{key}: {error}")))?;
        folded.uncount(&was);
        let commit = Commit {
            from: row.position,
            to: row.position,
            documents: &folded.documents,
            touches: &[],
            counts: &folded.counts,
        };
        // Whoever moves the view may have loaded the document as it was: the view is taken out of his hands for long
        // enough that what he has in his is refused.
        let holder = row.held_by.unwrap_or_else(Uuid::nil);
        let release = Commit { documents: &[], counts: &[], ..commit };
        store.commit_documents(&table, holder, Duration::ZERO, &release).await?;
        if let Committed::Done = store.commit_documents(&table, Uuid::nil(), HELD, &commit).await? {
            return Ok(true);
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    Ok(false)
}
