//! Two nodes over one log: every event is folded once, and when one dies the other goes on.

use domain::Aggregate;
use domain::incident::Incident;
use histories::History;
use projections::registry::{Registration, register};
use projections::view::Origin;
use projections::{Decoded, View};
use serde::{Deserialize, Serialize};
use storage::documents::{Commit, CountDelta, Document};

use crate::bed::{Bed, PATIENCE, on_both, settled, start_with};

on_both!(two_nodes_fold_every_event_once_and_one_may_die, without_the_compare_and_set_events_are_folded_twice);

/// A sum that shows every event folded twice, or never.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Sum {
    events: u64,
    positions: u64,
}

impl View for Sum {
    const NAME: &'static str = "sum_of_the_tests";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] = &[Incident::TYPE];
    const ORIGIN: Origin = Origin::Streams;

    fn keys(_: &Decoded) -> Vec<String> {
        vec!["all".to_owned()]
    }

    fn apply(&mut self, event: &Decoded) {
        self.events += 1;
        self.positions += event.position();
    }

    fn counted(&self) -> Vec<(&'static str, String)> {
        vec![("documents", String::new())]
    }
}

const SUM: &[Registration] = &[register::<Sum>()];

async fn two_nodes_fold_every_event_once_and_one_may_die(bed: &Bed) {
    let (first, second) = (bed.store().await, bed.store().await);
    let (dies, stays) = (start_with(&first, SUM), start_with(&second, SUM));
    let mut history = History::new(11, 10);
    for round in 0..20 {
        // Told by both nodes in turn, so that now one hears of it first and now the other.
        history.tell(if round % 2 == 0 { &first } else { &second }, 200).await;
    }
    drop(dies); // in the middle of whatever it is doing
    history.tell(&first, 200).await;
    settled(&stays).await;
    let head = second.head().await.unwrap();
    stays.reach(Sum::NAME, head, PATIENCE).await.expect("the other goes on");
    let (stored, _) = stays.find::<Sum>("all").await.unwrap();
    let sum: Sum = serde_json::from_str(&stored.unwrap().body).unwrap();
    let (mut events, mut positions, mut position) = (0, 0, 0);
    while position < head {
        for event in second.read_after(position, 1_000).await.unwrap() {
            position = event.position;
            if event.stream.aggregate_type == Incident::TYPE {
                events += 1;
                positions += position;
            }
        }
    }
    assert_eq!(sum, Sum { events, positions });
    assert_eq!(stays.counts::<Sum>().await.unwrap().0, [("documents".to_owned(), String::new(), 1)]);
}

/// The control: two nodes that write what they folded wherever the view stands by then.
async fn without_the_compare_and_set_events_are_folded_twice(bed: &Bed) {
    let store = bed.store().await;
    let (table, _) = store.open_view(&Sum::shape()).await.unwrap();
    let head = u64::try_from(History::new(12, 10).tell(&store, 100).await).unwrap();
    // Both have folded the same events, each from an empty view.
    let document = |position| Document {
        key: "all".to_owned(),
        position,
        body: "{}".to_owned(),
        columns: vec![],
        terms: vec![],
        parked: None,
    };
    let counts = [CountDelta { grouping: "events", value: String::new(), by: i64::try_from(head).unwrap() }];
    let documents = [document(head)];
    let mut from = 0;
    for me in [uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2)] {
        let commit = Commit { from, to: from + head, documents: &documents, touches: &[], counts: &counts };
        // Each asks where the view stands only when it writes, which is what the compare-and-set is there against.
        store.commit_documents(&table, me, std::time::Duration::ZERO, &commit).await.unwrap();
        from = store.view_row(Sum::NAME, 1).await.unwrap().unwrap().position;
    }
    let counted: i64 = store.view_counts(&table).await.unwrap().iter().map(|(.., n)| n).sum();
    assert_eq!(counted, 2 * i64::try_from(head).unwrap(), "folded twice, and nothing noticed");
}
