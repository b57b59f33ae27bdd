//! A worker that dies between any two steps, or comes twice: what it had to tell is told once.

use std::time::Duration;

use projections::Feed;
use reactions::{Assignment, Outcome, Reactions, Registry, Worker};
use storage::work::{Claimed, WorkState};
use testbed::eventually;

use crate::bed::{Bed, on_both, short_lease};
use crate::notes::{KIND, Note, Stop, Thank};

on_both!(
    whoever_dies_with_a_claim_is_followed_by_another,
    whoever_dies_before_telling_is_followed_by_another,
    whoever_dies_after_telling_has_told,
    without_its_claim_it_would_be_told_twice,
    whoever_comes_twice_is_heard_once,
);

const NOTE: &str = "incident.note_added";

/// Declares an incident, whose first worker dies at `stop` with its whole node; then another node begins.
async fn dies(bed: &Bed, first: Note) -> Reactions {
    let dying = Reactions::start(&Feed::new(bed.store().clone()), first.registry(), short_lease()).await.unwrap();
    bed.declare("i").await;
    eventually("it is on its way", || async { first.waiting() == 1 }).await;
    drop(dying);
    let bus = bed.another_node().await;
    let second = Note { claimed: first.claimed, ..Note::new(&bus) };
    Reactions::start(&Feed::new(bus.store().clone()), second.registry(), short_lease()).await.unwrap()
}

async fn is_over(bed: &Bed) {
    eventually("the work is over", || async {
        let work = bed.work().await;
        work.len() == 1 && work[0].state == WorkState::Done
    })
    .await;
}

async fn whoever_dies_with_a_claim_is_followed_by_another(bed: &Bed) {
    bed.register(Registry::default().reactor(Thank)).await;
    bed.declare("i").await;
    let queued = bed.start(Registry::default().reactor(Thank)).await;
    eventually("it is in the queue", || async { bed.work().await.len() == 1 }).await;
    queued.drain().await;
    let lost = bed.store().claim_work(&[KIND], 1, Duration::from_secs(1)).await.unwrap();
    assert_eq!(lost.len(), 1);
    let reactions = bed.start(Note::new(&bed.bus).registry()).await;
    is_over(bed).await;
    assert_eq!((bed.count("i", NOTE).await, bed.work().await[0].attempt), (1, 2));
    reactions.drain().await;
}

async fn whoever_dies_before_telling_is_followed_by_another(bed: &Bed) {
    let reactions = dies(bed, Note::stopping_at(&bed.bus, Stop::BeforeTelling, 1)).await;
    is_over(bed).await;
    assert_eq!((bed.count("i", NOTE).await, bed.work().await[0].attempt), (1, 2));
    reactions.drain().await;
}

async fn whoever_dies_after_telling_has_told(bed: &Bed) {
    let reactions = dies(bed, Note::stopping_at(&bed.bus, Stop::AfterTelling, 1)).await;
    is_over(bed).await;
    assert_eq!((bed.count("i", NOTE).await, bed.work().await[0].attempt), (1, 1));
    reactions.drain().await;
}

/// The control of the one before.
async fn without_its_claim_it_would_be_told_twice(bed: &Bed) {
    let first = Note { claimed: false, ..Note::stopping_at(&bed.bus, Stop::AfterTelling, 1) };
    let reactions = dies(bed, first).await;
    is_over(bed).await;
    assert_eq!(bed.count("i", NOTE).await, 2);
    reactions.drain().await;
}

/// One that was so late that its work was given to another: both run to their end.
async fn whoever_comes_twice_is_heard_once(bed: &Bed) {
    bed.register(Registry::default().reactor(Thank)).await;
    let queued = bed.start(Registry::default().reactor(Thank)).await;
    bed.declare("i").await;
    eventually("it is in the queue", || async { bed.work().await.len() == 1 }).await;
    queued.drain().await;
    let late = claim(bed).await;
    let prompt = claim(bed).await;
    let note = Note::new(&bed.bus);
    assert_eq!(note.run(assignment(&late)).await, Outcome::Fenced);
    assert_eq!(bed.count("i", NOTE).await, 0);
    assert_eq!(note.run(assignment(&prompt)).await, Outcome::Told);
    // Later still, it hears what was told; and so does whoever asks twice.
    assert_eq!(note.run(assignment(&late)).await, Outcome::Told);
    assert_eq!(note.run(assignment(&prompt)).await, Outcome::Told);
    assert_eq!(bed.count("i", NOTE).await, 1);
    // The control: without their claims, both are heard.
    let careless = Note { claimed: false, ..note };
    for claimed in [&late, &prompt] {
        careless.run(assignment(claimed)).await;
    }
    assert_eq!(bed.count("i", NOTE).await, 3);
}

/// A claim whose lease is over at once.
async fn claim(bed: &Bed) -> Claimed {
    bed.store().claim_work(&[KIND], 1, Duration::ZERO).await.unwrap().remove(0)
}

fn assignment(work: &Claimed) -> Assignment {
    Assignment::new(work.clone()).unwrap()
}
