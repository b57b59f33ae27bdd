//! Events that cannot be folded: one document is parked, or one view stops; nothing is skipped silently, no other view
//! waits, and after a repair it goes on.

use projections::incidents::IncidentDetail;
use projections::registry::{VIEWS, view};
use projections::{View, timeline};
use serde_json::json;
use storage::Store;
use storage::documents::{HaltKind, Stored};
use testbed::eventually;

use crate::bed::{Bed, PATIENCE, on_both, settled, start};
use crate::given::{declared, note, recorded};

on_both!(
    bad_data_parks_its_document_and_stops_the_view_that_cannot,
    an_event_of_a_newer_binary_stops_whoever_reads_it,
    a_paused_view_holds_up_nobody,
    a_parked_document_stays_parked_however_long_its_stream,
    a_view_that_cannot_be_built_says_so_and_goes_on_after_a_skip,
    counts_are_there_while_generations_change,
);

async fn document(store: &Store, key: &str) -> Stored {
    let (table, _) = store.open_view(&IncidentDetail::shape()).await.unwrap();
    store.load_documents(&table, &[key.to_owned()]).await.unwrap().pop().expect("it is there")
}

async fn bad_data_parks_its_document_and_stops_the_view_that_cannot(bed: &Bed) {
    let store = bed.store().await;
    let views = start(&store);
    recorded(&store, "good", 0, &[declared("good")]).await;
    recorded(&store, "bad", 0, &[declared("bad"), note()]).await;
    // It lacks what a note must have.
    let poison = recorded(&store, "bad", 2, &[json!({"type": "incident.note_added", "by": "ann"})]).await;
    let head = recorded(&store, "bad", 3, &[note()]).await;
    recorded(&store, "good", 1, &[note()]).await;
    views.reach(IncidentDetail::NAME, head + 1, PATIENCE).await.expect("one bad document stops no other");
    let parked = document(&store, "bad").await;
    let why = parked.parked.expect("it is parked");
    assert_eq!((why.at, parked.position), (poison, poison - 1));
    assert!(why.why.contains("incident.note_added"), "{}", why.why);
    assert!(parked.body.contains("\"notes\":1"), "what came before it still stands: {}", parked.body);
    assert!(document(&store, "good").await.body.contains("\"notes\":1"));

    // One entry for each event: which one would be parked? So the view stops, and says where.
    let name = timeline::Entry::NAME;
    eventually("the timeline stops", || async { views.standing(name).unwrap().halt.is_some() }).await;
    let halt = views.standing(name).unwrap().halt.unwrap();
    assert_eq!((halt.kind, halt.position), (HaltKind::Poison, poison));
    assert_eq!(views.standing(name).unwrap().position, poison - 1);
    // To be resumed without a repair is to stop again, at the same place.
    store.resume_view(name, 1).await.unwrap();
    eventually("it stops again", || async { store.view_row(name, 1).await.unwrap().unwrap().halt.is_some() }).await;
    // An operator may pass over it, and that is kept.
    store.skip_event(name, 1, poison, "nothing worth keeping").await.unwrap();
    store.resume_view(name, 1).await.unwrap();
    settled(&views).await;
    assert_eq!(store.view_skips(name, 1).await.unwrap(), [poison]);

    // A rebuild meets the same event: it parks the same document, and passes over what was skipped.
    for view in VIEWS {
        view.rebuild(&store, &mut |_| {}).await.unwrap();
    }
    let rebuilt = document(&store, "bad").await;
    assert_eq!((rebuilt.position, rebuilt.parked.map(|parked| parked.at)), (poison - 1, Some(poison)));

    // While the event is what it is, the document cannot be unparked.
    let incidents = view(IncidentDetail::NAME).unwrap();
    assert!(!incidents.unpark(&store, "bad").await.unwrap());
    store.skip_event(IncidentDetail::NAME, 1, poison, "nothing worth keeping").await.unwrap();
    assert!(incidents.unpark(&store, "bad").await.unwrap());
    let whole = document(&store, "bad").await;
    assert_eq!((whole.parked, whole.position), (None, head));
    assert!(whole.body.contains("\"notes\":2"), "{}", whole.body);
    recorded(&store, "bad", 4, &[note()]).await;
    settled(&views).await;
    assert!(document(&store, "bad").await.body.contains("\"notes\":3"));
}

async fn an_event_of_a_newer_binary_stops_whoever_reads_it(bed: &Bed) {
    let store = bed.store().await;
    let views = start(&store);
    recorded(&store, "a", 0, &[declared("a")]).await;
    let unknown = recorded(&store, "a", 1, &[json!({"type": "incident.teleported"})]).await;
    let newer = recorded(&store, "b", 0, &[json!({"type": "incident.declared", "version": 2, "other": 1})]).await;
    for name in [IncidentDetail::NAME, timeline::Entry::NAME] {
        eventually("it stops", || async { views.standing(name).unwrap().halt.is_some() }).await;
        let standing = views.standing(name).unwrap();
        let halt = standing.halt.unwrap();
        assert_eq!((halt.kind, halt.position, standing.position), (HaltKind::Unknown, unknown, unknown - 1));
    }
    // The views of runbooks do not read incidents, and go on.
    views.reach("runbooks", newer, PATIENCE).await.unwrap();
    assert!(views.standing("runbooks").unwrap().halt.is_none());
    // Nothing was parked: the document is as it was before, for the newer binary to go on with.
    assert_eq!(document(&store, "a").await.parked, None);
    let refused = view(IncidentDetail::NAME).unwrap().rebuild(&store, &mut |_| {}).await;
    assert!(refused.is_err(), "a rebuild cannot pass it either: {refused:?}");
}

async fn a_paused_view_holds_up_nobody(bed: &Bed) {
    let store = bed.store().await;
    let views = start(&store);
    settled(&views).await;
    let name = timeline::Entry::NAME;
    store.pause_view(name, 1).await.unwrap();
    let head = recorded(&store, "a", 0, &[declared("a"), note()]).await;
    views.reach(IncidentDetail::NAME, head, PATIENCE).await.unwrap();
    eventually("the pause is seen", || async { views.standing(name).unwrap().paused }).await;
    assert_eq!(views.standing(name).unwrap().position, 0);
    eventually("it is seen to be behind", || async { views.standing(name).unwrap().behind == 2 }).await;
    store.resume_view(name, 1).await.unwrap();
    settled(&views).await;
}

/// More events than are folded at once.
const LONG: usize = 4_500;

async fn a_parked_document_stays_parked_however_long_its_stream(bed: &Bed) {
    let store = bed.store().await;
    let poison =
        recorded(&store, "long", 0, &[declared("long"), json!({"type": "incident.note_added", "by": "ann"})]).await;
    recorded(&store, "long", 2, &vec![note(); LONG]).await;
    recorded(&store, "other", 0, &[declared("other")]).await;
    let incidents = view(IncidentDetail::NAME).unwrap();
    incidents.rebuild(&store, &mut |_| {}).await.unwrap();
    let parked = document(&store, "long").await;
    assert_eq!((parked.position, parked.parked.as_ref().map(|parked| parked.at)), (poison - 1, Some(poison)));
    let (table, _) = store.open_view(&IncidentDetail::shape()).await.unwrap();
    let status = |counts: Vec<(String, String, i64)>| counts.into_iter().find(|(grouping, ..)| grouping == "status");
    let counted = status(store.view_counts(&table).await.unwrap());
    assert_eq!(counted, Some(("status".to_owned(), "open".to_owned(), 2)));
    // A stream of which every event is skipped leaves nothing to repair, and nothing is counted away.
    let only = recorded(&store, "only", 0, &[json!({"type": "incident.declared", "by": "ann"})]).await;
    let views = start(&store);
    views.reach(IncidentDetail::NAME, only, PATIENCE).await.unwrap();
    store.skip_event(IncidentDetail::NAME, 1, only, "nothing in it").await.unwrap();
    for _ in 0..2 {
        assert!(!incidents.unpark(&store, "only").await.unwrap());
    }
    let (table, _) = store.open_view(&IncidentDetail::shape()).await.unwrap();
    let counted = status(store.view_counts(&table).await.unwrap());
    assert_eq!(counted, Some(("status".to_owned(), "open".to_owned(), 2)));
}

/// Enough for a build in bulk, of a view that was never opened.
const MANY: usize = 21_000;

async fn a_view_that_cannot_be_built_says_so_and_goes_on_after_a_skip(bed: &Bed) {
    let store = bed.store().await;
    recorded(&store, "a", 0, &[declared("a")]).await;
    let poison = recorded(&store, "a", 1, &[json!({"type": "incident.note_added", "by": "ann"})]).await;
    for part in 0..6 {
        recorded(&store, &format!("b{part}"), 0, &[vec![declared("b")], vec![note(); MANY / 6]].concat()).await;
    }
    let views = start(&store);
    let name = timeline::Entry::NAME;
    eventually("the build stops", || async { views.standing(name).unwrap().halt.is_some() }).await;
    let standing = views.standing(name).unwrap();
    assert_eq!((standing.halt.unwrap().position, standing.position), (poison, 0));
    assert_ne!(standing.phase, projections::Phase::Live, "it was never whole");
    // The details are made of streams, and need not stop.
    let head = store.head().await.unwrap();
    views.reach(IncidentDetail::NAME, head, PATIENCE).await.unwrap();
    store.skip_event(name, 1, poison, "nothing worth keeping").await.unwrap();
    store.resume_view(name, 1).await.unwrap();
    settled(&views).await;
}

async fn counts_are_there_while_generations_change(bed: &Bed) {
    let store = bed.store().await;
    let views = start(&store);
    recorded(&store, "a", 0, &[declared("a")]).await;
    settled(&views).await;
    let incidents = view(IncidentDetail::NAME).unwrap();
    for _ in 0..3 {
        incidents.rebuild(&store, &mut |_| {}).await.unwrap();
        let (counts, _) = views.counts::<IncidentDetail>().await.unwrap();
        assert!(counts.contains(&("status".to_owned(), "open".to_owned(), 1)), "{counts:?}");
    }
}
