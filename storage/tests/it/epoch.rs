//! A failover that may have lost a suffix begins a new epoch, and everybody learns it; the same server keeps its own.

use futures_util::future::join_all;
use storage::{Config, Limits, Store, Token, Verdict};
use testbed::{Cluster, Durability, Proxy, eventually, eventually_ok};

use crate::bed::{Bed, Outside, everywhere};
use crate::commands::{committed, on, stream};

everywhere!(the_same_database_keeps_its_epoch);

async fn the_same_database_keeps_its_epoch(bed: &Bed) {
    let first: Token = bed.store.token(0).await.unwrap();
    for n in 0..3 {
        committed(bed.store.append(on(&n.to_string(), 0)).await);
        assert_eq!(bed.store.epoch().await.unwrap(), first.epoch);
        assert_eq!(bed.another_node().await.epoch().await.unwrap(), first.epoch);
    }
    assert_eq!(first.to_string().parse::<Token>().unwrap(), first);
    assert_eq!(bed.outside().await.number("SELECT count(*) FROM log_epochs").await, 1);
}

/// The primary is killed and its standby takes its place, on the same address, without the last event.
#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_standby_begins_a_new_epoch() {
    let primary = Cluster::start(Durability::None);
    let direct = primary.database().await;
    let proxy = Proxy::to(primary.port()).await;
    let config = Config::new(proxy.url(&direct));
    let store = Store::open(&config).await.unwrap();
    committed(store.append(on("a", 0)).await);
    let before = store.token(1).await.unwrap();

    let standby = primary.standby();
    committed(store.append(on("b", 0)).await);
    let name = direct.rsplit('/').next().unwrap().to_owned();
    let replica = Outside::connect(&standby.url(&name)).await;
    let replica = tokio::sync::Mutex::new(replica);
    eventually("the standby has it all", || async {
        replica.lock().await.number("SELECT count(*) FROM events").await == 2
    })
    .await;
    // Control: that connections are cut and made anew is no sign of another history.
    proxy.cut_all();
    eventually_ok("the store is connected again", || store.head()).await;
    assert_eq!(eventually_ok("it answers", || store.epoch()).await, before.epoch);

    // The last thing that the primary does never reaches the standby.
    drop(replica);
    standby.kill();
    committed(store.append(on("lost", 0)).await);
    assert_eq!(store.load(stream("lost"), 0).await.unwrap().len(), 1);
    primary.kill();
    standby.run();
    standby.promote().await;
    proxy.retarget(standby.port());
    // To expect what was lost is a conflict, not a gap, whatever this node remembers.
    let remembered = eventually_ok("the standby answers", || store.append(on("lost", 1))).await;
    assert_eq!(remembered, Verdict::Conflict);
    assert_eq!(eventually_ok("it can be read", || store.load(stream("lost"), 0)).await, []);
    committed(store.append(on("b", 1)).await);
    assert_eq!(store.append(on("lost", 1)).await.unwrap(), Verdict::Conflict, "nor when it knows the new server");
    // All at once: whoever is told a new position is told the new epoch with it.
    let tokens = (0..20).map(|n| {
        let store = store.clone();
        async move {
            let receipt = committed(store.append(on(&format!("after {n}"), 0)).await);
            eventually_ok("a token is told", || store.token(receipt.last)).await
        }
    });
    let tokens = join_all(tokens).await;
    assert!(tokens.iter().all(|token| token.epoch == tokens[0].epoch && token.epoch != before.epoch), "{tokens:?}");
    assert_eq!(store.epoch().await.unwrap(), tokens[0].epoch);

    // Every node agrees, and it was begun once, after what the standby had.
    let nodes = (0..3).map(|_| Store::open_with(&config, Limits::default()));
    for node in join_all(nodes).await {
        assert_eq!(node.unwrap().epoch().await.unwrap(), tokens[0].epoch);
    }
    let mut outside = Outside::connect(&standby.url(&name)).await;
    assert_eq!(outside.number("SELECT count(*) FROM log_epochs").await, 2);
    let after = outside.number("SELECT after_position FROM log_epochs ORDER BY ord DESC LIMIT 1").await;
    assert!((2..=23).contains(&after), "{after}");
    assert_eq!(store.read_after(0, 100).await.unwrap().len(), 23);
}
