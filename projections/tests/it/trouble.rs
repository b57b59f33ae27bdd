//! A view that cannot go on for a reason that is no event: it is tried again, says so meanwhile, and no other waits.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use domain::Aggregate;
use domain::incident::Incident;
use projections::incidents::IncidentDetail;
use projections::registry::{Registration, register};
use projections::view::Origin;
use projections::{Decoded, View};
use serde::{Deserialize, Serialize};
use storage::Store;
use storage::documents::{Commit, Committed, Document};
use testbed::eventually;
use uuid::Uuid;

use crate::bed::{Bed, PATIENCE, fresh, on_both, settled, start, start_with};
use crate::given::{declared, note, recorded};

on_both!(trouble_shows_until_it_is_over, a_panic_beyond_the_folds_is_tried_again);

/// Puts another body into a document, as nobody should.
async fn replace(store: &Store, key: &str, change: impl Fn(&Document) -> String) -> String {
    let (table, _) = store.open_view(&IncidentDetail::shape()).await.unwrap();
    let mut document = store.all_documents(&table, None, 1).await.unwrap().remove(0);
    assert_eq!(document.key, key);
    let before = document.body.clone();
    document.body = change(&document);
    let documents = [document];
    eventually("it is written", || async {
        let row = store.view_row(IncidentDetail::NAME, 1).await.unwrap().unwrap();
        let commit = Commit { from: row.position, to: row.position, documents: &documents, touches: &[], counts: &[] };
        let me = row.held_by.unwrap_or_else(Uuid::nil);
        store.commit_documents(&table, me, Duration::ZERO, &commit).await.unwrap() == Committed::Done
    })
    .await;
    before
}

async fn trouble_shows_until_it_is_over(bed: &Bed) {
    let store = bed.store().await;
    recorded(&store, "a", 0, &[declared("a")]).await;
    let views = start(&store);
    settled(&views).await;
    drop(views); // which keeps the document in memory
    let body = replace(&store, "a", |_| "no document".to_owned()).await;
    let views = start(&store);
    settled(&views).await;
    let standing = || views.standing(IncidentDetail::NAME).unwrap();
    assert_eq!((standing().trouble, standing().failures), (None, 0), "it has not looked at it yet");
    let head = recorded(&store, "a", 1, &[note()]).await;
    eventually("it has been tried three times", || async { standing().failures >= 3 }).await;
    let first = standing().trouble.expect("it shows between the tries");
    assert!(first.why.contains("does not read back"), "{}", first.why);
    eventually("it has been tried again", || async { standing().failures >= 5 }).await;
    assert_eq!(standing().trouble.map(|trouble| trouble.since), Some(first.since), "it is the same trouble");
    // Control: whoever has no reason to be in trouble is not, and does not wait.
    views.reach("incident_timeline", head, PATIENCE).await.unwrap();
    assert!(views.standings().iter().all(|other| other.name == IncidentDetail::NAME || other.failures == 0));

    replace(&store, "a", |_| body.clone()).await;
    settled(&views).await;
    assert_eq!(standing().trouble, None);
    assert!(standing().failures >= 5, "that it happened is kept");
}

/// How often the view below still panics at events of an aggregate.
static TRIPS: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Trips {
    events: u64,
}

impl View for Trips {
    const NAME: &'static str = "trips_of_the_tests";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] = &[Incident::TYPE];
    const ORIGIN: Origin = Origin::Streams;

    fn keys(event: &Decoded) -> Vec<String> {
        let trips = {
            let mut trips = TRIPS.lock().unwrap();
            let left = trips.entry(event.aggregate_id().to_owned()).or_default();
            let trips = *left > 0;
            *left = left.saturating_sub(1);
            trips
        };
        assert!(!trips, "tripped over {}", event.aggregate_id());
        vec!["all".to_owned()]
    }

    fn apply(&mut self, _: &Decoded) {
        self.events += 1;
    }
}

const TRIPPING: &[Registration] = &[register::<Trips>()];

async fn a_panic_beyond_the_folds_is_tried_again(bed: &Bed) {
    let store = bed.store().await;
    let (passing, lasting) = (fresh().to_string(), fresh().to_string());
    TRIPS.lock().unwrap().extend([(passing.clone(), 2), (lasting.clone(), u32::MAX)]);
    let views = start_with(&store, TRIPPING);
    let standing = || views.standing(Trips::NAME).unwrap();
    let head = recorded(&store, &passing, 0, &[declared("a")]).await;
    views.reach(Trips::NAME, head, PATIENCE).await.unwrap();
    assert_eq!((standing().failures, standing().trouble), (2, None));
    // Control: what does not pass keeps the view where it is, and shows.
    recorded(&store, &lasting, 0, &[declared("a")]).await;
    eventually("it is tried again and again", || async { standing().failures >= 5 }).await;
    let trouble = standing().trouble.expect("it shows");
    assert!(trouble.why.contains(&format!("tripped over {lasting}")), "{}", trouble.why);
    assert_eq!(standing().position, head);
}
