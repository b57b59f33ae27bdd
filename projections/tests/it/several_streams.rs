//! A view whose documents draw on several streams: which events touched a document is kept beside it.

use std::collections::BTreeMap;

use domain::Aggregate;
use domain::incident::{Event, Incident};
use histories::History;
use projections::registry::{Registration, register};
use projections::view::Origin;
use projections::{Decoded, View};
use serde::{Deserialize, Serialize};

use crate::bed::{Bed, on_both, settled, start_with};

on_both!(every_touch_is_kept_and_a_rebuild_keeps_the_same);

/// What each person did, over all incidents.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Deeds {
    events: u64,
    by_type: BTreeMap<String, u64>,
}

impl View for Deeds {
    const NAME: &'static str = "deeds_of_the_tests";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] = &[Incident::TYPE];
    const ORIGIN: Origin = Origin::Streams;

    fn keys(event: &Decoded) -> Vec<String> {
        match event.of::<Incident>() {
            Some(Event::NoteAdded { by, .. } | Event::Resolved { by, .. } | Event::Assigned { by, .. }) => {
                vec![by.to_string()]
            }
            _ => vec![],
        }
    }

    fn apply(&mut self, event: &Decoded) {
        self.events += 1;
        *self.by_type.entry(event.recorded().event_type.clone()).or_default() += 1;
    }
}

const DEEDS: &[Registration] = &[register::<Deeds>()];

async fn every_touch_is_kept_and_a_rebuild_keeps_the_same(bed: &Bed) {
    let store = bed.store().await;
    let views = start_with(&store, DEEDS);
    History::new(7, 10).tell(&store, 12_000).await;
    settled(&views).await;
    let read = async |key: &str| {
        let (table, _) = store.open_view(&Deeds::shape()).await.unwrap();
        let stored = store.load_documents(&table, &[key.to_owned()]).await.unwrap().pop().expect("he did something");
        (serde_json::from_str::<Deeds>(&stored.body).unwrap(), store.touches(&table, key, 0, 10_000).await.unwrap())
    };
    let (live, touches) = read("user-1").await;
    assert!(live.by_type.len() == 3 && live.events > 20, "{live:?}");
    assert_eq!(touches.len() as u64, live.events);
    // Each of them is an event that he is in.
    for position in &touches {
        let event = store.read_after(position - 1, 1).await.unwrap().remove(0);
        assert!(event.payload.contains("\"user-1\""), "{}", event.payload);
    }
    DEEDS[0].rebuild(&store, &mut |_| {}).await.unwrap();
    assert_eq!(read("user-1").await, (live, touches));
    settled(&views).await;
}
