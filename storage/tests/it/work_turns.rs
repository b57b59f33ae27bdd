//! Whose turn it is between lanes: the longest due first, with a head start of a minute for each priority. Control: by
//! priority alone, some work would never be done.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use storage::Store;
use storage::work::NewWork;

use crate::bed::{Bed, everywhere};
use crate::commands::HOUR;
use crate::work::{KIND, next, work};

everywhere!(no_lane_starves, kinds_share_the_turns, two_nodes_claim_nothing_twice);

const SECOND: i64 = 1_000_000;

/// Each step of ten seconds brings two rows of the highest priority and has time for one; one row of the lowest was there
/// before them.
async fn no_lane_starves(bed: &Bed) {
    const BEGUN: i64 = 1_700_000_000 * SECOND;
    let patient = NewWork { run_at_us: Some(BEGUN), ..work("patient", 0) };
    bed.store.add_work(std::slice::from_ref(&patient)).await.unwrap();
    let urgent = |step: i64, n: i32| NewWork {
        priority: 9,
        run_at_us: Some(BEGUN + step * 10 * SECOND),
        ..work(&format!("urgent {step} {n}"), n)
    };
    let mut steps = 0;
    loop {
        bed.store.add_work(&[urgent(steps, 1), urgent(steps, 2)]).await.unwrap();
        steps += 1;
        if next(&bed.store, HOUR).await.unwrap().claim.work_id == patient.id {
            break;
        }
        assert!(steps < 1000, "it starves");
    }
    // Overtaken by those who were due within nine minutes after it, and by no others.
    assert_eq!(steps, 9 * 60 / 10 * 2 + 1);

    // Control: in strict order of priority it is still waiting ten times later.
    let mut strict = BinaryHeap::from([(0, Reverse(0))]);
    for step in 0..steps * 10 {
        strict.extend([(9, Reverse(step)), (9, Reverse(step))]);
        assert_eq!(strict.pop().unwrap().0, 9);
    }
}

async fn kinds_share_the_turns(bed: &Bed) {
    let of = |kind: &str, priority: u8, run_at: i64| NewWork {
        kind: kind.to_owned(),
        priority,
        run_at_us: Some(run_at * SECOND),
        ..work(&format!("{kind} {priority} {run_at}"), 0)
    };
    let all = [
        of("a", 0, 100),
        of("b", 0, 90),
        of("a", 1, 155),
        of("c", 0, 1),
        of("b", 2, 225),
        of("a", 0, i64::from(u32::MAX)),
    ];
    bed.store.add_work(&all).await.unwrap();
    let claim = async |limit| {
        let claimed = bed.store.claim_work(&["a", "b", "a"], limit, HOUR).await.unwrap();
        claimed.into_iter().map(|work| work.lane).collect::<Vec<_>>()
    };
    assert_eq!(claim(3).await, ["b 0 90", "a 1 155", "a 0 100"]);
    assert_eq!(claim(0).await, [""; 0]);
    assert_eq!(claim(9).await, ["b 2 225"]);
    assert_eq!(bed.store.claim_work(&[], 9, HOUR).await.unwrap(), []);
    // What is not due has its time, and what nobody asks for waits.
    assert!(bed.store.next_work(&["c"]).await.unwrap().unwrap().is_zero());
    assert!(bed.store.next_work(&["a"]).await.unwrap().unwrap() > Duration::ZERO);
    assert_eq!(bed.store.next_work(&["d"]).await.unwrap(), None);
    assert_eq!(next_of(&bed.store, "c").await, Some("c 0 1".to_owned()));
}

async fn next_of(store: &Store, kind: &str) -> Option<String> {
    store.claim_work(&[kind], 1, HOUR).await.unwrap().pop().map(|work| work.lane)
}

async fn two_nodes_claim_nothing_twice(bed: &Bed) {
    let nodes = [bed.store.clone(), bed.another_node().await];
    let all: Vec<NewWork> = (0..600).map(|n| work(&n.to_string(), n)).collect();
    bed.store.add_work(&all).await.unwrap();
    let claim = |node: usize| {
        let store = nodes[node % 2].clone();
        tokio::spawn(async move {
            let mut ids = Vec::new();
            // One may find everything locked by the others and yet not all claimed.
            while store.next_work(&[KIND]).await.unwrap() == Some(Duration::ZERO) {
                ids.extend(store.claim_work(&[KIND], 7, HOUR).await.unwrap().iter().map(|work| work.claim.work_id));
            }
            ids
        })
    };
    let mut ids = Vec::new();
    for claimed in futures_util::future::join_all((0..6).map(claim)).await {
        ids.extend(claimed.unwrap());
    }
    assert_eq!(ids.len(), 600);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 600, "claimed twice");
}
