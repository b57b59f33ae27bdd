//! Plans that were made while the log was tiny: when it has grown, appends and loads still do not scan it. Control:
//! without what the append pins, it does.

use storage::{Config, Store};
use testbed::{Cluster, eventually};

use crate::bed::Outside;
use crate::commands::{HOUR, command, committed, fresh, keyed, on, stream, write};

const ROWS: i64 = 40_000;

/// So quickly that nobody has told the planner.
const GROW: &str = "
INSERT INTO events
SELECT (SELECT max(position) FROM events) + n, 'thing', 'grown ' || n / 10, 1 + n % 10, 'thing.happened', '1', '{}',
       '{}', gen_random_uuid(), gen_random_uuid(), 0, decode(md5(n::text), 'hex'), clock_timestamp()
  FROM generate_series(1, 40000) n";

/// One of each thing that is done with the log.
async fn use_log(store: &Store, id: &str) {
    committed(store.append(keyed(on(id, 0), id, 1, HOUR)).await);
    let guarded = command(vec![write(id, 1, 2), write("nothing", 0, 0)]);
    committed(store.append(guarded.clone()).await);
    store.append(guarded).await.unwrap();
    store.append(on(id, 9)).await.unwrap();
    assert_eq!(store.load(stream(id), 0).await.unwrap().len(), 3);
    assert_eq!(store.read_after(store.head().await.unwrap() - 1, 10).await.unwrap().len(), 1);
    assert_eq!(store.of_command(fresh()).await.unwrap(), []);
}

/// Uses the log while it is tiny and when it has grown, in the same sessions, and returns how many of its rows were
/// read by scans.
async fn rows_scanned(parameters: &str, before: &str) -> i64 {
    let url = Cluster::shared().database().await;
    let store = Store::open(&Config::new(format!("{url}{parameters}"))).await.unwrap();
    let mut outside = Outside::connect(&url).await;
    outside.run(before).await;
    outside.run("ALTER TABLE events SET (autovacuum_enabled = off)").await;
    use_log(&store, "first").await;
    // Now the planner knows how tiny it is; and five uses later it settles for plans without looking again.
    outside.run("ANALYZE events").await;
    for n in 0..8 {
        use_log(&store, &format!("early {n}")).await;
    }
    outside.run(GROW).await;
    for n in 0..8 {
        use_log(&store, &format!("late {n}")).await;
    }
    // A session tells what it has counted when it ends.
    drop(store);
    drop(outside);
    eventually("the sessions have ended", || async {
        let others =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        Outside::connect(&url).await.number(others).await == 0
    })
    .await;
    let scanned = "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'events'";
    Outside::connect(&url).await.number(scanned).await
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_of_a_tiny_log_do_not_scan_a_large_one() {
    let unpinned =
        "ALTER FUNCTION append_at_once SET enable_seqscan = on; ALTER FUNCTION append_judged SET enable_seqscan = on";
    let (sessions, transactions, control) = tokio::join!(
        rows_scanned("", "SELECT 1"),
        rows_scanned("?pgbouncer=true", "SELECT 1"),
        rows_scanned("", unpinned)
    );
    println!("rows scanned: {sessions} in sessions, {transactions} in transactions, {control} without what is pinned");
    assert!(control >= ROWS, "the control must scan, or this test shows nothing");
    assert!(sessions < 1000 && transactions < 1000, "a plan scans the log");
}
