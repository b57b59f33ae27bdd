//! Several nodes on one database are one log; on SQLite one process serves, and others may write beside it.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use futures_util::future::join_all;
use storage::{Config, StorageError, Store, Verdict};
use tokio::sync::Barrier;

use crate::bed::{Bed, everywhere};
use crate::commands::{command, committed, on, stream, write};

everywhere!(two_nodes_append_as_one_log, nodes_may_start_at_the_same_time);

/// Both nodes write to the same few streams, each deciding on what it loaded.
async fn two_nodes_append_as_one_log(bed: &Bed) {
    let nodes = [bed.store.clone(), bed.another_node().await];
    let callers = (0..16).map(|n| {
        let store = nodes[n % 2].clone();
        async move {
            let (mut recorded, mut conflicts) = (0_u64, 0_u64);
            for round in 0..10 {
                let hot = format!("hot {}", (n / 2 + round) % 4);
                loop {
                    let head = store.load(stream(&hot), 0).await.unwrap().len() as u64;
                    match store.append(command(vec![write(&hot, head, 2)])).await.unwrap() {
                        Verdict::Committed(_) => break recorded += 2,
                        Verdict::Conflict => conflicts += 1,
                        other => panic!("{other:?}"),
                    }
                }
            }
            (recorded, conflicts)
        }
    });
    let sums = join_all(callers).await;
    assert_eq!(sums.iter().map(|sum| sum.0).sum::<u64>(), 320);
    assert!(sums.iter().any(|sum| sum.1 > 0), "nobody got into another's way: this shows nothing");
    let log = nodes[1].read_after(0, 1000).await.unwrap();
    assert_eq!(log.len(), 320);
    for n in 0..4 {
        let sequences: Vec<u64> =
            log.iter().filter(|e| e.stream == stream(&format!("hot {n}"))).map(|e| e.sequence).collect();
        assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>());
    }
    let tokens = join_all(nodes.iter().map(|node| node.token(1))).await;
    assert_eq!(tokens[0].as_ref().unwrap(), tokens[1].as_ref().unwrap(), "one log has one epoch");
}

/// On an empty database of its own: the tables are made once, and all agree on the epoch.
async fn nodes_may_start_at_the_same_time(bed: &Bed) {
    let config = bed.empty_twin().await;
    let barrier = Arc::new(Barrier::new(6));
    let nodes = (0..6).map(|n| {
        let (config, barrier) = (config.clone(), barrier.clone());
        tokio::spawn(async move {
            barrier.wait().await;
            let store = Store::open(&config).await.unwrap();
            committed(store.append(on(&n.to_string(), 0)).await);
            store.epoch().await.unwrap()
        })
    });
    let epochs: Vec<_> = join_all(nodes).await.into_iter().map(Result::unwrap).collect();
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0]), "{epochs:?}");
    assert_eq!(Store::open(&config).await.unwrap().head().await.unwrap(), 6);
    assert_ne!(bed.store.epoch().await.unwrap(), epochs[0], "another database is another history");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_serves_a_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(format!("sqlite:{}", folder.path().join("data/log.db").display()));
    let serving = Store::open(&config.clone().serve()).await.unwrap();
    match Store::open(&config.clone().serve()).await {
        Err(StorageError::InUse(path)) => assert!(path.ends_with("log.db")),
        other => panic!("a second one serves: {other:?}"),
    }
    // The command line beside it is an ordinary second writer.
    let beside = Store::open(&config).await.unwrap();
    let appends = (0..40).map(|n| [&serving, &beside][n % 2].append(on(&n.to_string(), 0)));
    assert_eq!(join_all(appends).await.into_iter().map(committed).count(), 40);
    assert_eq!(serving.read_after(0, 100).await.unwrap(), beside.read_after(0, 100).await.unwrap());

    // Control: when the first one is gone, another may serve, though somebody writes beside it.
    drop(serving);
    let next = Store::open(&config.serve()).await.unwrap();
    assert_eq!(next.head().await.unwrap(), 40);
    let permissions = std::fs::metadata(folder.path().join("data/log.db")).unwrap().permissions();
    assert_eq!(permissions.mode() & 0o777, 0o600, "its owner alone reads it");
}
