//! Documents of views: a batch is written once, whole, by whoever finds the view where he left it, and read back byte
//! for byte.

use std::time::Duration;

use futures_util::future::join_all;
use storage::documents::{
    Column, Commit, Committed, CountDelta, Document, Halt, HaltKind, Kind, Parked, Query, Shape, Table, Touch, Value,
    ViewRow,
};
use storage::{StorageError, Store};
use uuid::Uuid;

use crate::bed::{Bed, Outside, everywhere};
use crate::commands::{HOUR, committed as appended, fresh, on};

everywhere!(
    a_batch_is_written_once,
    nodes_that_race_write_each_batch_once,
    who_holds_a_view_is_left_alone_for_his_lease,
    a_halted_or_paused_view_does_not_move,
    documents_read_back_byte_for_byte,
    a_view_is_made_once,
    what_does_not_fit_is_refused,
    a_view_and_its_skips_can_be_dropped,
    epochs_are_told_in_order,
);

pub(crate) const SHAPE: Shape = Shape {
    name: "things",
    version: 1,
    columns: &[
        Column { name: "status", kind: Kind::Text },
        Column { name: "team", kind: Kind::Text },
        Column { name: "severity", kind: Kind::Integer },
        Column { name: "opened_at", kind: Kind::Integer },
    ],
    indexes: &[&["opened_at"], &["status", "opened_at"], &["team", "status", "opened_at"], &["severity"]],
    searched: true,
    singly: true,
    touches: true,
};

pub(crate) fn document(key: &str, position: u64, opened_at: i64) -> Document {
    Document {
        key: key.to_owned(),
        position,
        body: format!("{{\"key\":\"{key}\",\"position\":{position}}}"),
        columns: vec![Value::Text("open".to_owned()), Value::Null, Value::Integer(1), Value::Integer(opened_at)],
        terms: vec![key.to_owned(), "tag:thing".to_owned()],
        parked: None,
    }
}

pub(crate) fn one_more(value: &str) -> CountDelta {
    CountDelta { grouping: "status", value: value.to_owned(), by: 1 }
}

pub(crate) fn batch(from: u64, to: u64, documents: &[Document]) -> Commit<'_> {
    Commit { from, to, documents, touches: &[], counts: &[] }
}

pub(crate) async fn write(store: &Store, table: &Table, commit: Commit<'_>) {
    let done = store.commit_documents(table, Uuid::nil(), Duration::ZERO, &commit).await.unwrap();
    assert_eq!(done, Committed::Done);
}

/// A connection to where the views are.
pub(crate) async fn outside(bed: &Bed) -> Outside {
    if !bed.is_sqlite() {
        return bed.outside().await;
    }
    Outside::connect(&bed.config.url.replace("log.db", "log.views.db")).await
}

fn elsewhere(committed: Committed) -> ViewRow {
    match committed {
        Committed::Elsewhere(row) => row,
        Committed::Done => panic!("it was written"),
    }
}

pub(crate) async fn keys(store: &Store, table: &Table) -> Vec<String> {
    let found = store.query_documents(table, &Query { limit: 1000, ..Query::default() }).await.unwrap();
    found.into_iter().map(|found| found.document.key).collect()
}

async fn a_batch_is_written_once(bed: &Bed) {
    let store = &bed.store;
    let (table, row) = store.open_view(&SHAPE).await.unwrap();
    assert_eq!((row.position, row.generation, row.epoch.as_str()), (0, 1, &*store.epoch().await.unwrap()));
    let documents = [document("a", 3, 1), document("b", 2, 2)];
    let touches = [("a", 1), ("b", 2), ("a", 3)].map(|(key, position)| Touch { key: key.to_owned(), position });
    let counts = [one_more("open"), one_more("open")];
    let commit = Commit { from: 0, to: 3, documents: &documents, touches: &touches, counts: &counts };
    write(store, &table, commit).await;
    let again = store.commit_documents(&table, Uuid::nil(), Duration::ZERO, &commit).await.unwrap();
    assert_eq!(elsewhere(again).position, 3);
    let counted = ("status".to_owned(), "open".to_owned(), 2);
    assert_eq!(store.view_counts(&table).await.unwrap(), std::slice::from_ref(&counted));
    assert_eq!(store.touches(&table, "a", 0, 9).await.unwrap(), [1, 3]);
    assert_eq!(store.touches(&table, "a", 1, 9).await.unwrap(), [3]);
    assert_eq!(store.touches(&table, "a", 0, 1).await.unwrap(), [1]);
    assert_eq!(keys(store, &table).await, ["a", "b"]);
    assert_eq!(store.all_documents(&table, None, 9).await.unwrap(), documents);

    // An empty batch only moves on, and a document is replaced by its next state.
    write(store, &table, batch(3, 7, &[])).await;
    write(store, &table, batch(7, 8, &[document("a", 8, 9)])).await;
    assert_eq!(store.all_documents(&table, None, 9).await.unwrap(), [document("a", 8, 9), documents[1].clone()]);
    assert_eq!(store.view_row("things", 1).await.unwrap().unwrap().position, 8);

    // Control: if the position did not guard it, the same batch would count twice.
    outside(bed).await.run("UPDATE views SET position = 0").await;
    write(store, &table, commit).await;
    assert_eq!(store.view_counts(&table).await.unwrap(), [(counted.0, counted.1, 4)]);
}

async fn nodes_that_race_write_each_batch_once(bed: &Bed) {
    const BATCHES: u64 = 30;
    let nodes = [bed.store.clone(), bed.another_node().await];
    let (table, _) = bed.store.open_view(&SHAPE).await.unwrap();
    let race = async |n: usize| {
        let (store, me, mut won, mut from) = (&nodes[n % 2], fresh(), Vec::new(), 0);
        while from < BATCHES {
            let documents = [document(&format!("{from} by {n}"), from + 1, 1), document("shared", from + 1, 1)];
            let touches = [Touch { key: "shared".to_owned(), position: from + 1 }];
            let counts = [one_more("open")];
            let commit = Commit { from, to: from + 1, documents: &documents, touches: &touches, counts: &counts };
            from = match store.commit_documents(&table, me, Duration::ZERO, &commit).await.unwrap() {
                Committed::Done => {
                    won.push(documents[0].key.clone());
                    from + 1
                }
                Committed::Elsewhere(row) => row.position,
            };
        }
        won
    };
    let won = join_all((0..6).map(race)).await;
    let losses = won.iter().filter(|won| won.len() < 30).count();
    assert!(losses >= 5, "there was a race: {won:?}");
    let mut won = won.concat();
    won.sort();
    assert_eq!(won.len() as u64, BATCHES);
    let mut found = keys(&bed.store, &table).await;
    found.retain(|key| key != "shared");
    assert_eq!(found, won, "who lost has written nothing");
    let counts = bed.store.view_counts(&table).await.unwrap();
    assert_eq!(counts, [("status".to_owned(), "open".to_owned(), 30)]);
    assert_eq!(bed.store.touches(&table, "shared", 0, 99).await.unwrap(), (1..=BATCHES).collect::<Vec<_>>());
}

async fn who_holds_a_view_is_left_alone_for_his_lease(bed: &Bed) {
    let store = &bed.store;
    let (table, row) = store.open_view(&SHAPE).await.unwrap();
    assert_eq!(row.held_by, None);
    assert!(row.held_for_us <= 0);
    let (me, another) = (fresh(), fresh());
    let commit =
        async |who, lease, from| store.commit_documents(&table, who, lease, &batch(from, from + 1, &[])).await.unwrap();
    assert_eq!(commit(me, HOUR, 0).await, Committed::Done);
    let row = elsewhere(commit(another, HOUR, 1).await);
    assert_eq!((row.held_by, row.position), (Some(me), 1));
    assert!(row.held_for_us > 3_500_000_000 && row.held_for_us <= 3_600_000_000, "{}", row.held_for_us);
    // Control: it is his to move, until his lease has ended.
    assert_eq!(commit(me, Duration::ZERO, 1).await, Committed::Done);
    assert_eq!(commit(another, HOUR, 2).await, Committed::Done);
    assert_eq!(elsewhere(commit(me, HOUR, 3).await).held_by, Some(another));
}

async fn a_halted_or_paused_view_does_not_move(bed: &Bed) {
    let store = &bed.store;
    let (table, _) = store.open_view(&SHAPE).await.unwrap();
    let halt = Halt { kind: HaltKind::Poison, position: 5, why: "no such 'thing'".to_owned() };
    let documents = [document("a", 1, 1)];
    let commit = batch(0, 1, &documents);
    let try_it = async || store.commit_documents(&table, Uuid::nil(), Duration::ZERO, &commit).await.unwrap();

    assert!(!store.halt_view("things", 1, 1, 4, &halt).await.unwrap(), "it does not stand there");
    assert!(!store.halt_view("things", 1, 2, 0, &halt).await.unwrap(), "nor in that generation");
    assert!(store.halt_view("things", 1, 1, 0, &halt).await.unwrap());
    let unknown = Halt { kind: HaltKind::Unknown, ..halt.clone() };
    assert!(!store.halt_view("things", 1, 1, 0, &unknown).await.unwrap(), "the first halt stays");
    assert_eq!(elsewhere(try_it().await).halt, Some(halt));
    assert!(store.resume_view("things", 1).await.unwrap());
    assert!(store.pause_view("things", 1).await.unwrap());
    let row = elsewhere(try_it().await);
    assert_eq!((row.halt, row.paused), (None, true));
    assert_eq!(keys(store, &table).await, [""; 0]);
    // Control: nothing else held it back.
    assert!(store.resume_view("things", 1).await.unwrap());
    assert_eq!(try_it().await, Committed::Done);
    assert!(store.halt_view("things", 1, 1, 1, &unknown).await.unwrap());
    assert_eq!(store.view_rows().await.unwrap()[0].halt, Some(unknown));
    assert!(!store.pause_view("things", 2).await.unwrap(), "there is none");
}

/// What a careless encoding would break.
fn difficult() -> Vec<String> {
    let texts = [
        "",
        " ",
        "'",
        "''",
        "\"",
        "\\",
        "\\\\",
        "\\N",
        "\\.",
        "\n\\.\n",
        "a\tb",
        "a\r\nb",
        "🙂 ünï ß \u{301}",
        "{}",
        "[]",
        "null",
        "NULL",
        "$1",
        "%s",
        ",",
        "\u{1}\u{7f}\u{feff}",
        "\\u0000",
        "{\"a\":\"\\u0000\\ud83d\\ude42\"}",
        "tag:a b",
    ];
    let mut texts: Vec<String> = texts.map(str::to_owned).into();
    texts.push("€\\\n".repeat(220_000));
    texts
}

pub(crate) fn difficult_documents() -> Vec<Document> {
    let of = |(n, text): (usize, String)| Document {
        key: format!("{n:02}{}", text.chars().take(40).collect::<String>()),
        position: n as u64 + 1,
        body: text.clone(),
        columns: vec![
            Value::Text(text.chars().take(60).collect()),
            if n % 2 == 0 { Value::Null } else { Value::Text(text.chars().take(9).collect()) },
            Value::Integer(if n % 3 == 0 { i64::MIN } else { i64::MAX }),
            Value::Integer(-1),
        ],
        terms: if text.is_empty() || text.len() > 200 { Vec::new() } else { vec![text.clone()] },
        parked: (n % 4 == 0).then(|| Parked { at: n as u64 + 7, why: text.chars().take(100).collect() }),
    };
    difficult().into_iter().enumerate().map(of).collect()
}

async fn documents_read_back_byte_for_byte(bed: &Bed) {
    let store = &bed.store;
    let mut documents = difficult_documents();
    assert!(documents.iter().any(|document| document.body.len() > 1_000_000));
    let (table, _) = store.open_view(&SHAPE).await.unwrap();
    write(store, &table, batch(0, 100, &documents)).await;
    let filled = store.begin_build(&SHAPE).await.unwrap();
    store.fill(&filled, &documents, &[], &[]).await.unwrap();
    store.finish_build(&filled, 100).await.unwrap();
    documents.sort_by(|a, b| a.key.cmp(&b.key));
    for table in [&table, &filled] {
        assert!(store.all_documents(table, None, 100).await.unwrap() == documents, "{table:?}");
        let keys: Vec<String> = documents.iter().map(|document| document.key.clone()).collect();
        let mut loaded = store.load_documents(table, &[&keys[..], &["none".to_owned()]].concat()).await.unwrap();
        loaded.sort_by(|a, b| a.key.cmp(&b.key));
        assert_eq!(loaded.len(), documents.len());
        for (loaded, document) in loaded.iter().zip(&documents) {
            assert!(loaded.body == document.body, "{}", document.key);
            assert_eq!((&loaded.key, loaded.position), (&document.key, document.position));
            assert_eq!(loaded.parked, document.parked);
        }
        let parked: Vec<(String, Parked)> =
            documents.iter().filter_map(|d| Some((d.key.clone(), d.parked.clone()?))).collect();
        let told = store.parked_documents(table, 2).await.unwrap();
        assert_eq!((told.count, &told.first[..]), (parked.len() as u64, &parked[..2]));
        for document in documents.iter().filter(|document| !document.terms.is_empty()) {
            let query = Query { terms: document.terms.clone(), limit: 9, ..Query::default() };
            let found = store.query_documents(table, &query).await.unwrap();
            let found: Vec<&str> = found.iter().map(|found| found.document.key.as_str()).collect();
            assert_eq!(found, [&document.key], "by {:?}", document.terms);
        }
    }
    let page = store.all_documents(&table, Some(&documents[3].key), 2).await.unwrap();
    assert_eq!(page, documents[4..6]);
}

async fn a_view_is_made_once(bed: &Bed) {
    let nodes = [bed.store.clone(), bed.another_node().await];
    let opened = join_all((0..8).map(|n| nodes[n % 2].open_view(&SHAPE))).await;
    for opened in opened {
        let (table, row) = opened.unwrap();
        assert_eq!((row.position, table.generation()), (0, 1));
    }
    let next = Shape { version: 2, ..SHAPE };
    bed.store.open_view(&next).await.unwrap();
    let rows = bed.store.view_rows().await.unwrap();
    assert_eq!(
        rows.iter().map(|row| (row.name.as_str(), row.version)).collect::<Vec<_>>(),
        [("things", 1), ("things", 2)]
    );
    assert!(bed.store.set_view_epoch("things", 2, "another").await.unwrap());
    assert_eq!(bed.store.view_row("things", 2).await.unwrap().unwrap().epoch, "another");
    assert_eq!(bed.store.view_row("things", 3).await.unwrap(), None);
}

async fn what_does_not_fit_is_refused(bed: &Bed) {
    let store = &bed.store;
    let (table, _) = store.open_view(&SHAPE).await.unwrap();
    let reshaped = Shape { searched: false, ..SHAPE };
    assert!(matches!(store.open_view(&reshaped).await, Err(StorageError::Incompatible(_))));
    for shape in [
        Shape { name: "x; DROP TABLE events", ..SHAPE },
        Shape { name: "", ..SHAPE },
        Shape { version: 0, ..SHAPE },
        Shape { columns: &[], ..SHAPE },
        Shape { columns: &[Column { name: "a\"", kind: Kind::Text }], indexes: &[], ..SHAPE },
    ] {
        assert!(matches!(store.open_view(&shape).await, Err(StorageError::Rejected(_))), "{shape:?}");
    }
    let fitting = document("a", 1, 1);
    let swapped = Document { columns: fitting.columns.iter().rev().cloned().collect(), ..fitting.clone() };
    let short = Document { columns: Vec::new(), ..fitting.clone() };
    let nul = Document { body: "\0".to_owned(), ..fitting.clone() };
    let nameless = Document { key: String::new(), ..fitting.clone() };
    for wrong in [swapped, short, nul, nameless] {
        let refused = store.commit_documents(&table, Uuid::nil(), HOUR, &batch(0, 1, &[wrong])).await;
        assert!(matches!(refused, Err(StorageError::Rejected(_))), "{refused:?}");
    }
    // Control: it was none of the rest.
    write(store, &table, batch(0, 1, &[fitting])).await;
}

async fn a_view_and_its_skips_can_be_dropped(bed: &Bed) {
    let store = &bed.store;
    let kept = Shape { version: 2, ..SHAPE };
    let (table, _) = store.open_view(&SHAPE).await.unwrap();
    let (other, _) = store.open_view(&kept).await.unwrap();
    for position in [9, 5, 9] {
        store.skip_event("things", 1, position, "it harms").await.unwrap();
    }
    store.skip_event("things", 2, 1, "it harms").await.unwrap();
    assert_eq!(store.view_skips("things", 1).await.unwrap(), [5, 9]);
    let counts = [one_more("open")];
    write(store, &table, Commit { counts: &counts, ..batch(0, 1, &[document("a", 1, 1)]) }).await;
    write(store, &other, batch(0, 1, &[document("b", 1, 1)])).await;
    store.drop_view("things", 1).await.unwrap();
    assert_eq!(store.view_rows().await.unwrap().len(), 1);
    assert_eq!(store.view_skips("things", 1).await.unwrap(), [0; 0]);
    let gone = store.view_counts(&table).await;
    assert!(matches!(gone, Err(StorageError::Superseded(_))), "{gone:?}");
    let query = Query { limit: 9, ..Query::default() };
    let gone = store.query_documents(&table, &query).await;
    assert!(matches!(gone, Err(StorageError::Superseded(_))), "{gone:?}");
    let gone = store.commit_documents(&table, Uuid::nil(), HOUR, &batch(1, 2, &[])).await;
    assert!(matches!(gone, Err(StorageError::Superseded(_))), "{gone:?}");
    // Control: the other version is whole, and the dropped one can be made again.
    assert_eq!(keys(store, &other).await, ["b"]);
    assert_eq!(store.view_skips("things", 2).await.unwrap(), [1]);
    assert_eq!(store.open_view(&SHAPE).await.unwrap().1.position, 0);
}

async fn epochs_are_told_in_order(bed: &Bed) {
    let first = bed.store.epoch().await.unwrap();
    appended(bed.store.append(on("a", 0)).await);
    let values = "VALUES (2, 'second', 1, 0, 'restored')";
    let sql = format!("INSERT INTO log_epochs (ord, epoch, after_position, timeline, reason) {values}");
    bed.outside().await.run(&sql).await;
    assert_eq!(bed.store.epochs().await.unwrap(), [(first.to_string(), 0), ("second".to_owned(), 1)]);
}
