//! Generations: built beside the live one, which goes on being read and written, then put in its place.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use storage::documents::{BuildRow, Committed, CountDelta, Halt, HaltKind, Query, Shape, Table, Touch, ViewRow};
use storage::{Config, StorageError, Store};
use uuid::Uuid;

use crate::bed::{Bed, everywhere};
use crate::commands::HOUR;
use crate::documents::{SHAPE, batch, document, keys, one_more, outside, write};
use crate::roles::roles;

everywhere!(
    a_build_takes_the_place_of_the_live_generation,
    the_live_generation_is_read_while_another_is_built,
    a_build_that_is_behind_is_not_promoted,
    abandoned_builds_vanish,
    a_build_filled_without_an_index_has_one_afterwards,
    of_builders_that_race_one_is_promoted_at_a_time,
);

async fn row(store: &Store) -> ViewRow {
    store.view_row("things", 1).await.unwrap().unwrap()
}

/// How many tables of views there are, of whatever kind.
async fn tables(bed: &Bed) -> i64 {
    let sql = bed.sql(
        "SELECT count(*) FROM sqlite_schema WHERE name GLOB '*_things_v1_g[0-9]*' AND type = 'table'",
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'pagefree_views'",
    );
    outside(bed).await.number(sql).await
}

fn touch(key: &str, position: u64) -> Touch {
    Touch { key: key.to_owned(), position }
}

fn superseded<T: std::fmt::Debug>(answer: &Result<T, StorageError>) {
    assert!(matches!(answer, Err(StorageError::Superseded(_))), "{answer:?}");
}

async fn a_build_takes_the_place_of_the_live_generation(bed: &Bed) {
    let store = &bed.store;
    let (live, _) = store.open_view(&SHAPE).await.unwrap();
    write(store, &live, batch(0, 5, &[document("wrong", 5, 1)])).await;
    let halt = Halt { kind: HaltKind::Poison, position: 6, why: "a fault".to_owned() };
    assert!(store.halt_view("things", 1, 1, 5, &halt).await.unwrap());

    let build = store.begin_build(&SHAPE).await.unwrap();
    assert_eq!(build.generation(), 2);
    assert!(!store.promote_build(&build, 0).await.unwrap(), "it is not finished");
    let first = [document("a", 1, 1), document("b", 4, 2)];
    store.fill(&build, &first, &[touch("a", 1), touch("b", 4)], &[one_more("open"), one_more("open")]).await.unwrap();
    store.fill(&build, &[document("c", 5, 3)], &[touch("c", 5)], &[one_more("open")]).await.unwrap();
    store.finish_build(&build, 5).await.unwrap();
    superseded(&store.fill(&build, &[document("d", 5, 3)], &[], &[]).await);
    superseded(&store.finish_build(&build, 5).await);
    let epoch = store.epoch().await.unwrap().to_string();
    let (name, version, generation) = ("things".to_owned(), 1, 2);
    let expected = BuildRow { name, version, generation, position: 5, epoch, finished: true };
    assert_eq!(store.view_builds().await.unwrap(), [expected]);

    let closed = [CountDelta { grouping: "status", value: "open".to_owned(), by: -1 }];
    let (documents, touches) = ([document("a", 7, 1)], [touch("a", 7)]);
    let catch_up = storage::documents::Commit { touches: &touches, counts: &closed, ..batch(5, 7, &documents) };
    assert!(store.commit_build(&build, &catch_up).await.unwrap());
    assert!(!store.commit_build(&build, &catch_up).await.unwrap(), "it is written once");
    assert!(!store.promote_build(&build, 5).await.unwrap(), "it stands further now");
    assert_eq!(row(store).await.halt, Some(halt));
    assert_eq!(keys(store, &live).await, ["wrong"]);
    assert!(store.promote_build(&build, 7).await.unwrap());
    assert!(!store.promote_build(&build, 7).await.unwrap());

    let now = row(store).await;
    assert_eq!((now.generation, now.position, now.halt.clone()), (2, 7, None));
    let (opened, _) = bed.another_node().await.open_view(&SHAPE).await.unwrap();
    assert_eq!(opened.generation(), 2);
    assert_eq!(keys(store, &opened).await, ["a", "b", "c"]);
    assert_eq!(store.touches(&opened, "a", 0, 9).await.unwrap(), [1, 7]);
    assert_eq!(store.view_counts(&opened).await.unwrap(), [("status".to_owned(), "open".to_owned(), 2)]);
    write(store, &opened, batch(7, 8, &[document("d", 8, 4)])).await;

    // Who still has the old one reads it, and learns by writing to it.
    let late = store.commit_documents(&live, Uuid::nil(), HOUR, &batch(5, 6, &[])).await.unwrap();
    assert!(matches!(&late, Committed::Elsewhere(row) if row.generation == 2), "{late:?}");
    assert_eq!(keys(store, &live).await, ["wrong"]);
    assert!(store.drop_old_generations(&SHAPE).await.unwrap() >= 2);
    superseded(&store.query_documents(&live, &Query { limit: 1, ..Query::default() }).await);
    superseded(&store.load_documents(&live, &["wrong".to_owned()]).await);
    let late = store.commit_documents(&live, Uuid::nil(), HOUR, &batch(5, 6, &[document("x", 6, 1)])).await.unwrap();
    assert!(matches!(&late, Committed::Elsewhere(row) if row.generation == 2), "{late:?}");
    assert_eq!(keys(store, &opened).await, ["a", "b", "c", "d"]);
}

async fn the_live_generation_is_read_while_another_is_built(bed: &Bed) {
    let store = &bed.store;
    let (live, _) = store.open_view(&SHAPE).await.unwrap();
    write(store, &live, batch(0, 1, &[document("a", 1, 1)])).await;
    let (done, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    let reader = async || {
        let mut seen = [false; 2];
        while !done.load(Ordering::SeqCst) || !seen[1] {
            let (table, row) = store.open_view(&SHAPE).await.unwrap();
            let expected = if row.generation == 1 { vec!["a"] } else { vec!["a", "b"] };
            assert_eq!(keys(store, &table).await, expected, "never half of something");
            seen[usize::from(row.generation > 1)] = true;
            reads.fetch_add(1, Ordering::SeqCst);
        }
        seen
    };
    let builder = async {
        let build = store.begin_build(&SHAPE).await.unwrap();
        store.fill(&build, &[document("a", 1, 1)], &[], &[]).await.unwrap();
        store.finish_build(&build, 1).await.unwrap();
        assert!(store.commit_build(&build, &batch(1, 2, &[document("b", 2, 2)])).await.unwrap());
        write(store, &live, batch(1, 2, &[])).await;
        let before = reads.load(Ordering::SeqCst);
        testbed::eventually("the live one is read", || async { reads.load(Ordering::SeqCst) > before }).await;
        assert!(store.promote_build(&build, 2).await.unwrap());
        done.store(true, Ordering::SeqCst);
    };
    let (first, second, ()) = tokio::join!(reader(), reader(), builder);
    assert_eq!([first, second], [[true; 2]; 2]);
}

async fn built(store: &Store, position: u64) -> Table {
    let build = store.begin_build(&SHAPE).await.unwrap();
    store.fill(&build, &[document("b", 1, 1)], &[], &[]).await.unwrap();
    store.finish_build(&build, position).await.unwrap();
    build
}

async fn a_build_that_is_behind_is_not_promoted(bed: &Bed) {
    let store = &bed.store;
    let (live, _) = store.open_view(&SHAPE).await.unwrap();
    write(store, &live, batch(0, 5, &[document("a", 5, 1)])).await;
    let behind = built(store, 4).await;
    assert!(!store.promote_build(&behind, 4).await.unwrap());
    assert_eq!(row(store).await.generation, 1);
    // Control: it was only behind. And in another history it may be.
    assert!(store.commit_build(&behind, &batch(4, 5, &[])).await.unwrap());
    assert!(store.promote_build(&behind, 5).await.unwrap());
    assert!(store.set_view_epoch("things", 1, "a lost one").await.unwrap());
    let other = built(store, 2).await;
    assert!(store.promote_build(&other, 2).await.unwrap());
    let now = row(store).await;
    assert_eq!((now.generation, now.position, now.epoch.as_str()), (3, 2, &*store.epoch().await.unwrap()));
}

async fn a_build_filled_without_an_index_has_one_afterwards(bed: &Bed) {
    const LEAN: Shape = Shape { name: "lean", touches: false, ..SHAPE };
    let store = &bed.store;
    let build = store.begin_build(&LEAN).await.unwrap();
    store.fill(&build, &[document("b", 1, 1), document("a", 2, 1)], &[], &[]).await.unwrap();
    store.fill(&build, &[document("c", 3, 1)], &[], &[]).await.unwrap();
    store.finish_build(&build, 3).await.unwrap();
    assert!(store.commit_build(&build, &batch(3, 5, &[document("a", 4, 1), document("d", 5, 1)])).await.unwrap());
    assert_eq!(keys(store, &build).await, ["a", "b", "c", "d"]);
    for (key, position) in [("a", 4), ("b", 1), ("d", 5)] {
        let one = store.load_documents(&build, &[key.to_owned()]).await.unwrap();
        assert_eq!(one.iter().map(|found| (found.key.as_str(), found.position)).collect::<Vec<_>>(), [(key, position)]);
    }
    assert_eq!(store.load_documents(&build, &["x".to_owned()]).await.unwrap(), []);
    assert_eq!(store.load_documents(&build, &["a", "x", "d"].map(str::to_owned)).await.unwrap().len(), 2);
    if bed.is_sqlite() {
        return;
    }
    // Control: the key's index would find a document that was filled in twice, and then nothing is finished.
    let doubled = store.begin_build(&LEAN).await.unwrap();
    for _ in 0..2 {
        store.fill(&doubled, &[document("a", 1, 1)], &[], &[]).await.unwrap();
    }
    assert!(store.finish_build(&doubled, 1).await.is_err());
    assert!(!store.view_builds().await.unwrap().iter().any(|build| build.finished));
    assert!(!store.promote_build(&doubled, 0).await.unwrap());
    let again = store.begin_build(&LEAN).await.unwrap();
    store.fill(&again, &[document("a", 1, 1)], &[], &[]).await.unwrap();
    store.finish_build(&again, 1).await.unwrap();
    assert!(store.promote_build(&again, 1).await.unwrap());
}

async fn abandoned_builds_vanish(bed: &Bed) {
    let store = &bed.store;
    let (live, _) = store.open_view(&SHAPE).await.unwrap();
    let alone = tables(bed).await;
    let first = store.begin_build(&SHAPE).await.unwrap();
    store.fill(&first, &[document("a", 1, 1)], &[], &[one_more("open")]).await.unwrap();
    assert_eq!(tables(bed).await, alone * 2);
    let second = store.begin_build(&SHAPE).await.unwrap();
    assert_eq!(tables(bed).await, alone * 2);
    superseded(&store.fill(&first, &[document("b", 1, 1)], &[], &[]).await);
    superseded(&store.finish_build(&first, 1).await);
    superseded(&store.commit_build(&first, &batch(0, 1, &[])).await);
    assert!(!store.promote_build(&first, 1).await.unwrap());
    superseded(&store.view_counts(&first).await);
    store.fill(&second, &[document("b", 1, 1)], &[], &[]).await.unwrap();
    store.abandon_build(&second).await.unwrap();
    superseded(&store.fill(&second, &[document("c", 1, 1)], &[], &[]).await);
    assert_eq!(store.view_builds().await.unwrap(), []);
    assert_eq!(tables(bed).await, alone);
    // Control: the live one is none of them, and numbers go on.
    write(store, &live, batch(0, 1, &[document("a", 1, 1)])).await;
    assert_eq!(store.begin_build(&SHAPE).await.unwrap().generation(), 4);
}

async fn of_builders_that_race_one_is_promoted_at_a_time(bed: &Bed) {
    let nodes = [bed.store.clone(), bed.another_node().await];
    bed.store.open_view(&SHAPE).await.unwrap();
    let alone = tables(bed).await;
    let build = async |n: usize| {
        let store = &nodes[n % 2];
        let table = store.begin_build(&SHAPE).await?;
        store.fill(&table, &[document("b", 1, 1)], &[], &[one_more("open")]).await?;
        store.finish_build(&table, 1).await?;
        store.promote_build(&table, 1).await
    };
    let mut replaced = 0;
    for _ in 0..8 {
        let mut promoted = 0;
        for done in join_all((0..4).map(build)).await {
            match done {
                Ok(true) => promoted += 1,
                Ok(false) | Err(StorageError::Superseded(_)) => replaced += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(promoted > 0, "nobody takes the place of the last to begin");
    }
    assert!(replaced > 0, "there was a race");
    let (table, _) = bed.store.open_view(&SHAPE).await.unwrap();
    assert_eq!(keys(&bed.store, &table).await, ["b"]);
    assert_eq!(bed.store.view_counts(&table).await.unwrap(), [("status".to_owned(), "open".to_owned(), 1)]);
    for left in bed.store.view_builds().await.unwrap() {
        assert!(left.generation > table.generation(), "{left:?}");
    }
    bed.store.abandon_build(&bed.store.begin_build(&SHAPE).await.unwrap()).await.unwrap();
    assert_eq!(tables(bed).await, alone);
}

/// The application's role may make tables for views, and nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_owns_nothing_builds_views() {
    let (config, _owner) = roles("views").await;
    let store = Store::open(&config).await.unwrap();
    let (live, _) = store.open_view(&SHAPE).await.unwrap();
    write(&store, &live, batch(0, 1, &[document("a", 1, 1)])).await;
    let build = built(&store, 1).await;
    assert!(store.promote_build(&build, 1).await.unwrap());
    assert_eq!(store.drop_old_generations(&SHAPE).await.unwrap(), 2);
    store.drop_view("things", 1).await.unwrap();
    let mut app = crate::bed::Outside::connect(&config.url).await;
    for schema in ["public", "pg_catalog"] {
        assert!(app.refusal(&format!("CREATE TABLE {schema}.mine ()")).await.contains("denied"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_or_broken_file_of_views_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(format!("sqlite:{}", folder.path().join("log.db").display())).serve();
    let path = folder.path().join("log.views.db");
    let kept = Shape { searched: false, ..SHAPE };
    let fill = async || {
        let store = Store::open(&config).await.unwrap();
        let (table, row) = store.open_view(&kept).await.unwrap();
        if row.position == 0 {
            write(&store, &table, batch(0, 1, &[document("a", 1, 1)])).await;
        }
        assert_eq!(keys(&store, &table).await, ["a"]);
        row.position
    };
    assert_eq!(fill().await, 0);
    // Control: otherwise it is kept.
    assert_eq!(fill().await, 1);
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap()) & 0o777, 0o600);
    let lose = || {
        std::fs::remove_file(&path).unwrap();
        for beside in ["log.views.db-wal", "log.views.db-shm"] {
            let _may_be_gone = std::fs::remove_file(folder.path().join(beside));
        }
    };
    lose();
    assert_eq!(fill().await, 0);
    lose();
    std::fs::write(&path, "this is no database\n".repeat(1000)).unwrap();
    let beside = Config { access: storage::Access::Beside, ..config.clone() };
    assert!(Store::open(&beside).await.is_err(), "who is not alone with it leaves it");
    assert_eq!(fill().await, 0);
    assert_eq!(fill().await, 1);
}
