//! Two nodes: both follow the log and work, nothing is done twice, and each can go without a word.

use std::sync::atomic::{AtomicUsize, Ordering};

use projections::Feed;
use reactions::{Options, Reactions};
use storage::work::WorkState;
use testbed::eventually;

use crate::bed::{Bed, on_both, short_lease};
use crate::notes::{Note, Stop};

on_both!(the_other_node_goes_on);

const NOTE: &str = "incident.note_added";

/// Each of the two is cut off once, with every slot taken by a run that gets no further, and comes back.
async fn the_other_node_goes_on(bed: &Bed) {
    let options = Options { slots: 2, ..short_lease() };
    let buses = [bed.another_node().await, bed.another_node().await];
    let mut nodes = Vec::new();
    let mut stuck = Vec::new();
    for bus in &buses {
        let note = Note::stopping_at(bus, Stop::BeforeTelling, 2);
        nodes.push(Reactions::start(&Feed::new(bus.store().clone()), note.registry(), options.clone()).await.unwrap());
        stuck.push(note);
    }
    let declared = AtomicUsize::new(0);
    let declare = || async { bed.declare(&format!("i{}", declared.fetch_add(1, Ordering::SeqCst))).await };
    for _ in 0..20 {
        declare().await;
    }
    eventually("both have something to lose", || async { stuck.iter().all(|note| note.waiting() == 2) }).await;
    for bus in &buses {
        drop(nodes.remove(0));
        for _ in 0..20 {
            declare().await;
        }
        let feed = Feed::new(bus.store().clone());
        nodes.push(Reactions::start(&feed, Note::new(bus).registry(), options.clone()).await.unwrap());
    }
    let declared = declared.into_inner();
    eventually("everything is done", || async {
        let work = bed.work().await;
        work.len() == declared && work.iter().all(|row| row.state == WorkState::Done)
    })
    .await;
    for n in 0..declared {
        assert_eq!(bed.count(&format!("i{n}"), NOTE).await, 1, "i{n}");
    }
    // The same work may have been left behind twice.
    let taken_over: i32 = bed.work().await.iter().map(|row| row.attempt - 1).sum();
    println!("{declared} pieces of work were taken over {taken_over} times");
    assert!(taken_over >= 4, "each left two pieces behind");
    for node in nodes {
        node.drain().await;
    }
}
