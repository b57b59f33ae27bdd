//! Throw-away.
#![allow(warnings)]
use std::time::{Duration, Instant};
use projections::Feed;
use reactions::*;
use storage::*;
use uuid::Uuid;
struct Nop;
impl Reactor for Nop {
    fn name(&self) -> &'static str { "nop" }
    fn aggregates(&self) -> &'static [&'static str] { &["incident"] }
    fn react(&self, _: &projections::Decoded) -> Vec<Work> { vec![] }
}
#[tokio::test(flavor = "multi_thread")]
async fn slow() {
    let url = testbed::Cluster::shared().database().await;
    let store = Store::open(&Config::new(&url)).await.unwrap();
    let registry = || Registry::default().reactor(Nop);
    Reactions::start(&Feed::new(store.clone()), registry(), Options::default()).await.unwrap().drain().await;
    for n in 0..2000u128 {
        let payload = format!("\"{}\"", "x".repeat(700_000));
        let event = NewEvent { event_id: Uuid::from_u128(n + 1), event_type: "t".into(), event_version: 1, payload };
        let stream = StreamId::new("t", n.to_string());
        store.append(Append::new(Uuid::from_u128(n + 1), vec![StreamWrite { stream, expected: 0, events: vec![event] }])).await.unwrap();
    }
    for _ in 0..2 {
    let at = Instant::now();
    println!("a read of {} events takes {:?}", store.read_after(0, 2000).await.unwrap().len(), at.elapsed());
    }
    let r = Reactions::start(&Feed::new(store.clone()), registry(), Options::default()).await.unwrap();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        println!("{:?} {:?}", store.reactors().await.unwrap(), r.status().reactors());
    }
    r.drain().await;
    // Control: the feed by itself, uncancelled.
    let at = Instant::now();
    println!("uncancelled: {} events in {:?}", Feed::new(store.clone()).after(0).await.unwrap().events().len(), at.elapsed());
    println!("beyond the head: {:?} of {}", store.advance_reactor("nop", store.reactors().await.unwrap()[0].1, 1_000_000, &[]).await, store.head().await.unwrap());
}
