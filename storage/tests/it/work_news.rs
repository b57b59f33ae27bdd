//! News of work: a hint that reaches this node at once, and other nodes that can listen.

use std::time::Duration;

use futures_util::FutureExt;
use testbed::eventually;
use tokio::sync::watch;

use crate::bed::{Bed, on_both};
use crate::commands::{HOUR, on};
use crate::fence::outcome;
use crate::work::{KIND, claim, work};

on_both!(whatever_makes_work_claimable_is_news);

fn heard(news: &mut watch::Receiver<u64>) -> bool {
    let heard = news.has_changed().unwrap();
    news.mark_unchanged();
    heard
}

async fn whatever_makes_work_claimable_is_news(bed: &Bed) {
    let store = &bed.store;
    let mut news = store.work_news();
    assert!(!heard(&mut news));
    let all: Vec<_> = (0..4).map(|n| work("lane", n)).collect();
    store.add_work(&all).await.unwrap();
    assert!(heard(&mut news), "added");
    let held = claim(store, HOUR).await;
    assert!(!heard(&mut news), "claimed is less, not more");
    store.retry_work(held, Duration::ZERO, "again").await.unwrap();
    assert!(heard(&mut news), "retried");
    store.finish_work(claim(store, HOUR).await).await.unwrap();
    assert!(heard(&mut news), "the next one in the lane");
    store.append(outcome("a", claim(store, HOUR).await)).await.unwrap();
    assert!(heard(&mut news), "the next one in the lane, after an outcome");
    store.append(on("b", 0)).await.unwrap();
    assert!(!heard(&mut news), "no outcome");
    store.release_work(&[claim(store, HOUR).await]).await.unwrap();
    assert!(heard(&mut news), "given back");
    store.fail_work(claim(store, HOUR).await, "no").await.unwrap();
    assert!(heard(&mut news), "the next one in the lane, after a failure");
    store.finish_work(claim(store, HOUR).await).await.unwrap();
    assert!(!heard(&mut news), "nothing stands behind it");
    store.retry_by_hand(all[2].id).await.unwrap();
    assert!(heard(&mut news), "retried by hand");
    store.resume_work(Some(KIND)).await.unwrap();
    assert!(heard(&mut news), "resumed");
    let at = store.register_reactor("reactor").await.unwrap();
    assert!(store.advance_reactor("reactor", at, at, &[]).await.unwrap());
    assert!(!heard(&mut news), "it asked for nothing");
    assert!(store.advance_reactor("reactor", at, at, &[work("other", 0)]).await.unwrap());
    assert!(heard(&mut news), "asked for by a reactor");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_nodes_hear_of_work_and_oneself_hears_it_once() {
    let bed = Bed::postgres().await;
    let another = bed.another_node().await;
    let (mut here, mut there) = (bed.store.work_news(), another.work_news());
    let mut added = 0;
    eventually("the other node hears of it", || {
        added += 1;
        let lane = format!("lane {added}");
        let (store, heard) = (bed.store.clone(), heard(&mut there));
        async move {
            store.add_work(&[work(&lane, 0)]).await.unwrap();
            heard
        }
    })
    .await;
    assert!(here.changed().now_or_never().is_some());
    // The listener has had as much time as the other node's: its own notices did not count.
    assert_eq!(*here.borrow_and_update(), added);
}
