//! A new version of a view is built before it is read, while the old binary goes on with its own.

use domain::Aggregate;
use domain::incident::Incident;
use histories::History;
use projections::registry::{Registration, register};
use projections::view::Origin;
use projections::{Decoded, Phase, View};
use serde::{Deserialize, Serialize};

use crate::bed::{Bed, PATIENCE, on_both, settled, start_with};

on_both!(the_new_binary_builds_its_version_while_the_old_one_serves_its_own);

/// Enough for a build in bulk.
const EVENTS: usize = 25_000;

/// How many events an incident has, as two binaries know it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Length<const VERSION: u32> {
    events: u32,
}

impl<const V: u32> View for Length<V> {
    const NAME: &'static str = "length_of_the_tests";
    const VERSION: u32 = V;
    const READS: &'static [&'static str] = &[Incident::TYPE];
    const ORIGIN: Origin = Origin::Stream;

    fn keys(event: &Decoded) -> Vec<String> {
        vec![event.aggregate_id().to_owned()]
    }

    fn apply(&mut self, _: &Decoded) {
        // The new binary counts otherwise, and so it has another version.
        self.events += V;
    }
}

const OLD: &[Registration] = &[register::<Length<1>>()];
const NEW: &[Registration] = &[register::<Length<2>>()];

async fn the_new_binary_builds_its_version_while_the_old_one_serves_its_own(bed: &Bed) {
    let (old_store, new_store) = (bed.store().await, bed.store().await);
    let old = start_with(&old_store, OLD);
    let mut history = History::new(5, 12);
    history.tell(&old_store, EVENTS).await;
    settled(&old).await;
    let (stored, _) = old.find::<Length<1>>("i-5-0000001").await.unwrap();
    let one: Length<1> = serde_json::from_str(&stored.unwrap().body).unwrap();

    let new = start_with(&new_store, NEW);
    // Until it is built it is not read: there is nothing half-built to be seen.
    let mut looks = 0;
    loop {
        let standing = new.standing(Length::<2>::NAME).unwrap();
        if standing.phase == Phase::Live {
            break;
        }
        looks += 1;
        assert!(new.find::<Length<2>>("i-5-0000001").await.is_err(), "not to be read while {:?}", standing.phase);
        // And the old one goes on.
        let told = history.tell(&old_store, 1).await;
        assert!(told > 0);
        let head = old_store.head().await.unwrap();
        old.reach(Length::<1>::NAME, head, PATIENCE).await.unwrap();
    }
    assert!(looks > 0, "it was live at once: there was nothing to build");
    settled(&new).await;
    settled(&old).await;
    let (after, _) = new.find::<Length<2>>("i-5-0000001").await.unwrap();
    let two: Length<2> = serde_json::from_str(&after.unwrap().body).unwrap();
    let (stored, _) = old.find::<Length<1>>("i-5-0000001").await.unwrap();
    let one_now: Length<1> = serde_json::from_str(&stored.unwrap().body).unwrap();
    assert!(one_now.events >= one.events && two.events == 2 * one_now.events, "{one_now:?} {two:?}");
    let rows = new_store.view_rows().await.unwrap();
    let versions: Vec<u32> = rows.iter().filter(|row| row.name == Length::<1>::NAME).map(|row| row.version).collect();
    assert_eq!(versions, [1, 2]);
}
