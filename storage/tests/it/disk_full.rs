//! A full disk: a clear refusal, reads go on, and when there is space again so do appends. Control: with more space the
//! same commands go in.

use std::path::Path;

use storage::{Append, Config, StorageError, Store, Verdict};
use testbed::{Cluster, SmallDisk};

use crate::commands::{committed, event, on, stream};

/// A command of about this many bytes.
fn large(n: usize, bytes: usize) -> Append {
    let mut append = on(&format!("large {n}"), 0);
    append.streams[0].events = vec![event(format!("\"{}\"", "0123456789abcdef".repeat(bytes / 16)))];
    append
}

/// Appends until there is no space, and returns what was recorded and what was refused.
async fn fill(store: &Store, bytes: usize) -> (usize, Append) {
    for n in 0..1000 {
        let append = large(n, bytes);
        match store.append(append.clone()).await {
            Ok(Verdict::Committed(_)) => {}
            Err(StorageError::Full(_)) => return (n, append),
            other => panic!("not a clear refusal: {other:?}"),
        }
    }
    panic!("the disk was never full");
}

async fn refused_and_recovered(store: &Store, make_space: impl AsyncFnOnce()) {
    let (recorded, refused) = fill(store, 200_000).await;
    assert!(recorded > 0);
    println!("{}: full after {recorded} commands", store.engine());
    for _ in 0..3 {
        let again = store.append(refused.clone()).await;
        assert!(matches!(again, Err(StorageError::Full(_))), "{again:?}");
        assert_eq!(store.head().await.unwrap(), recorded as u64, "reads go on");
        assert_eq!(store.load(stream("large 0"), 0).await.unwrap().len(), 1);
    }
    assert!(store.of_command(refused.command_id).await.unwrap().is_empty(), "what was refused is not there");

    make_space().await;
    assert_eq!(committed(store.append(refused).await).first, recorded as u64 + 1, "no position was burnt");
    committed(store.append(on("small", 0)).await);
    assert_eq!(store.read_after(0, 10_000).await.unwrap().len(), recorded + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_refuses_and_recovers() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let store = Store::open(&Config::new(format!("sqlite:{}", disk.path().join("log.db").display()))).await.unwrap();
    refused_and_recovered(&store, async || disk.resize(32)).await;
    drop(store);
    sound(&disk.path().join("log.db")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_refuses_and_recovers() {
    // The tablespace lies on the small disk, the rest of the cluster does not.
    let Some(disk) = SmallDisk::mount(24) else { return };
    let cluster = Cluster::shared();
    let folder = disk.path().join("space");
    std::fs::create_dir(&folder).unwrap();
    testbed::give_to_ordinary_user(&folder);
    cluster.execute("postgres", &format!("CREATE TABLESPACE small LOCATION '{}'", folder.display())).await;
    cluster.execute("postgres", "CREATE DATABASE on_small TABLESPACE small").await;
    let store = Store::open(&Config::new(cluster.url("on_small"))).await.unwrap();
    cluster.execute("on_small", "ALTER TABLE events ALTER COLUMN payload SET STORAGE EXTERNAL").await;
    refused_and_recovered(&store, async || disk.resize(64)).await;
    drop(store);
    cluster.execute("postgres", "DROP DATABASE on_small WITH (FORCE)").await;
    cluster.execute("postgres", "DROP TABLESPACE small").await;
}

async fn sound(path: &Path) {
    use sqlx::{Connection, Row, SqliteConnection};
    let mut connection = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    let row = sqlx::query("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(row.get::<String, _>(0), "ok");
}
