//! After a long random history the live views equal a rebuild, document by document; and a document as of some moment
//! equals the log replayed up to that moment.

use std::collections::HashMap;

use histories::{Dice, History};
use projections::approvals::ApprovalDetail;
use projections::as_of::{self, Until};
use projections::incidents::IncidentDetail;
use projections::registry::VIEWS;
use projections::runbooks::RunbookDetail;
use projections::{Event, View};
use storage::documents::Document;
use storage::{Store, StreamId};

use crate::bed::{Bed, on_both, settled, start};

on_both!(live_views_equal_a_rebuild, as_of_equals_a_replay);

/// How many events are in a history.
const EVENTS: usize = 100_000;
const MOMENTS: usize = 1_000;
const PAGE: usize = 1_000;

/// All documents of a table.
async fn all(store: &Store, table: &storage::documents::Table) -> Vec<Document> {
    let mut documents: Vec<Document> = Vec::new();
    loop {
        let after = documents.last().map(|document| document.key.clone());
        let page = store.all_documents(table, after.as_deref(), PAGE).await.unwrap();
        let last = page.len() < PAGE;
        documents.extend(page);
        if last {
            return documents;
        }
    }
}

async fn live_views_equal_a_rebuild(bed: &Bed) {
    let store = bed.store().await;
    let views = start(&store);
    let mut history = History::new(1, 12);
    history.tell(&store, EVENTS).await;
    settled(&views).await;
    print_histogram(&history);
    let head = store.head().await.unwrap();
    for view in VIEWS {
        let (live, row) = store.open_view(&(view.shape)()).await.unwrap();
        assert_eq!(row.position, head);
        let mut seen = 0;
        let (rebuilt, built) = view.generation(&store, head, &mut |built| seen = built.events).await.unwrap();
        let (live_documents, rebuilt_documents) = (all(&store, &live).await, all(&store, &rebuilt).await);
        assert!(built.documents > 0 && seen == built.events, "{}: {built:?}", view.name);
        assert_eq!(live_documents.len() as u64, built.documents, "{}", view.name);
        for (live, rebuilt) in live_documents.iter().zip(&rebuilt_documents) {
            assert_eq!(live, rebuilt, "{}", view.name);
        }
        let sorted = |mut counts: Vec<(String, String, i64)>| {
            counts.retain(|(.., n)| *n != 0);
            counts.sort();
            counts
        };
        let counts = sorted(store.view_counts(&live).await.unwrap());
        assert_eq!(counts, sorted(store.view_counts(&rebuilt).await.unwrap()), "{}", view.name);
        let statuses: i64 = counts.iter().filter(|(grouping, ..)| grouping == "status").map(|(.., n)| n).sum();
        assert!(statuses == 0 || statuses == i64::try_from(live_documents.len()).unwrap(), "{}", view.name);
        store.abandon_build(&rebuilt).await.unwrap();
    }
    // Control: one event more, and the comparison sees it.
    drop(views);
    let incidents = VIEWS.iter().find(|view| view.name == IncidentDetail::NAME).unwrap();
    let (live, _) = store.open_view(&(incidents.shape)()).await.unwrap();
    history.tell(&store, 50).await;
    let (rebuilt, _) = incidents.generation(&store, store.head().await.unwrap(), &mut |_| {}).await.unwrap();
    assert_ne!(all(&store, &live).await, all(&store, &rebuilt).await);
}

/// Every event that can happen did, and not as a rarity, so that the comparison means something.
fn print_histogram(history: &History) {
    let told = history.histogram();
    for entry in domain::catalogue::CATALOGUE {
        let of = |name: &&str| told.get(*name).copied().unwrap_or(0);
        let all: u64 = entry.events.iter().map(of).sum();
        for name in entry.events {
            let times = of(name);
            let permille = 1_000 * times / all.max(1);
            println!("{name}: {times} ({}.{} %)", permille / 10, permille % 10);
            // Of those of its own kind: with many kinds none has much of the whole.
            assert!(permille >= 20, "{name} is too rare: {times} of {all}");
        }
    }
    assert_eq!(history.rare(), [], "{:?}", history.histogram());
}

/// The log replayed in memory, one event after the other.
#[derive(Default)]
struct Replay<V> {
    documents: HashMap<String, V>,
    keys: Vec<String>,
}

impl<V: View> Replay<V> {
    fn fold(&mut self, event: &Event) {
        let Event::Decoded(event) = event else { panic!("a history can be read") };
        for key in V::keys(event) {
            if !self.documents.contains_key(&key) {
                self.keys.push(key.clone());
            }
            self.documents.entry(key).or_default().apply(event);
        }
    }
}

async fn as_of_equals_a_replay(bed: &Bed) {
    let store = bed.store().await;
    History::new(2, 12).tell(&store, EVENTS / 5).await;
    let head = store.head().await.unwrap();
    let mut dice = Dice::new(3);
    let mut moments: Vec<u64> = (0..MOMENTS).map(|_| 1 + dice.below(head)).collect();
    moments.sort_unstable();
    let (mut incidents, mut runbooks) = (Replay::<IncidentDetail>::default(), Replay::<RunbookDetail>::default());
    let mut approvals = Replay::<ApprovalDetail>::default();
    let mut position = 0;
    for moment in moments {
        while position < moment {
            let limit = usize::try_from(moment - position).unwrap().min(500);
            for event in store.read_after(position, limit).await.unwrap() {
                position = event.position;
                let event = Event::read(event);
                incidents.fold(&event);
                runbooks.fold(&event);
                approvals.fold(&event);
            }
        }
        compare(&store, &incidents, "incident", moment, &mut dice).await;
        compare(&store, &runbooks, "runbook", moment, &mut dice).await;
        compare(&store, &approvals, "approval", moment, &mut dice).await;
    }
}

async fn compare<V: View>(store: &Store, replay: &Replay<V>, aggregate_type: &str, moment: u64, dice: &mut Dice) {
    if replay.keys.is_empty() {
        return;
    }
    let key = dice.of(&replay.keys);
    let stream = StreamId::new(aggregate_type, key);
    let history = as_of::read(store, stream.clone(), Until::Position(moment)).await.unwrap();
    let folded = history.document::<V>().expect("it had begun");
    assert_eq!(folded.document, replay.documents[key], "{key} at {moment}");
    // By the log's time too: that of the event at this position, and so of all that were recorded in the same instant.
    let at = store.read_after(moment - 1, 1).await.unwrap()[0].recorded_at_us;
    let instant = Until::Instant(jiff::Timestamp::from_microsecond(at).unwrap());
    let by_time = as_of::read(store, stream, instant).await.unwrap().document::<V>().expect("it had begun");
    assert!(by_time.position >= folded.position && by_time.version >= folded.version);
}
