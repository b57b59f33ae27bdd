//! What a page of a list costs does not depend on how many documents there are. Control: a list that no index serves.

use storage::documents::{Document, Filter, Query, Sort, Value};
use storage::{Config, Store};
use testbed::{Cluster, eventually};

use crate::bed::Outside;
use crate::documents::{SHAPE, document};

/// Pages of the table, its indexes and what is stored out of line, read in whatever way since the statistics began.
const PAGES: &str = "
SELECT (sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0)
            + coalesce(toast_blks_read + toast_blks_hit, 0) + coalesce(tidx_blks_read + tidx_blks_hit, 0)))::bigint
  FROM pg_statio_user_tables WHERE relname = 'view_things_v1_g2'";

const REPEATS: i64 = 20;
/// Many, because a connection that is new to a table reads a page of each of its indexes once.
const DETAILS: i64 = 400;

fn made(n: u64, of: u64) -> Document {
    let text = |text: String| Value::Text(text);
    let status = ["open", "acknowledged", "resolved", "closed"][usize::try_from(n % 4).unwrap()];
    let team = if n.is_multiple_of(10) { Value::Null } else { text(format!("team {}", n % 7)) };
    let opened_at = i64::try_from(n * 7919 % of).unwrap();
    Document {
        columns: vec![text(status.to_owned()), team, Value::Integer(1), Value::Integer(opened_at)],
        terms: vec![format!("word {}", n % (of / 20)), format!("tag:{}", n % 5)],
        body: format!("{{\"n\":{n},\"text\":\"{}\"}}", "x".repeat(200)),
        ..document(&format!("{n:08}"), 1, 0)
    }
}

/// A database with so many documents.
async fn filled(count: u64) -> String {
    let url = Cluster::shared().database().await;
    let store = Store::open(&Config::new(&url)).await.unwrap();
    let build = store.begin_build(&SHAPE).await.unwrap();
    let mut next = 0;
    while next < count {
        let part: Vec<Document> = (next..count.min(next + 5000)).map(|n| made(n, count)).collect();
        store.fill(&build, &part, &[], &[]).await.unwrap();
        next += 5000;
    }
    store.finish_build(&build, 1).await.unwrap();
    assert!(store.promote_build(&build, 1).await.unwrap());
    url
}

async fn ended(url: &str) {
    eventually("the sessions have ended", || async {
        let others =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        Outside::connect(url).await.number(others).await == 0
    })
    .await;
}

/// The pages that one such query reads. A session tells what it has counted when it ends.
async fn pages(url: &str, query: &Query) -> i64 {
    let store = Store::open(&Config::new(url)).await.unwrap();
    let (table, _) = store.open_view(&SHAPE).await.unwrap();
    drop(store);
    ended(url).await;
    let before = Outside::connect(url).await.number(PAGES).await;
    let store = Store::open(&Config::new(url)).await.unwrap();
    for _ in 0..REPEATS {
        assert!(!store.query_documents(&table, query).await.unwrap().is_empty());
    }
    drop(store);
    ended(url).await;
    (Outside::connect(url).await.number(PAGES).await - before) / REPEATS
}

/// The pages that [`DETAILS`] reads of one document each take.
async fn pages_of_details(url: &str) -> i64 {
    let store = Store::open(&Config::new(url)).await.unwrap();
    let (table, _) = store.open_view(&SHAPE).await.unwrap();
    drop(store);
    ended(url).await;
    let before = Outside::connect(url).await.number(PAGES).await;
    let store = Store::open(&Config::new(url)).await.unwrap();
    for n in 0..DETAILS {
        assert_eq!(store.load_documents(&table, &[format!("{:08}", n * 331 % 10_000)]).await.unwrap().len(), 1);
    }
    drop(store);
    ended(url).await;
    Outside::connect(url).await.number(PAGES).await - before
}

fn lists() -> Vec<(&'static str, Query)> {
    let text = |text: &str| Value::Text(text.to_owned());
    let newest = Query { sort: Sort { column: Some("opened_at"), descending: true }, limit: 50, ..Query::default() };
    let by = |filters: Vec<Filter>| Query { filters, ..newest.clone() };
    let open = Filter::Is("status", text("open"));
    let status = Filter::In("status", ["open", "acknowledged"].map(text).into());
    let teams = Filter::In("team", vec![text("team 1"), text("team 2"), Value::Null]);
    vec![
        ("newest", newest.clone()),
        ("one status", by(vec![open.clone()])),
        (
            "the middle of one status",
            Query { after: Some((Value::Integer(4000), "5".to_owned())), ..by(vec![open.clone()]) },
        ),
        ("two statuses", by(vec![status.clone()])),
        ("no team, one status", by(vec![Filter::Is("team", Value::Null), open])),
        ("three teams, two statuses", by(vec![teams, status])),
        ("a rare word", Query { terms: vec!["word 7".to_owned()], ..newest.clone() }),
        ("by key", Query { limit: 50, ..Query::default() }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_details_of_many_documents_cost_what_those_of_few_do() {
    let (few, many) = tokio::join!(filled(10_000), filled(200_000));
    for (name, query) in lists() {
        let (small, large) = (pages(&few, &query).await, pages(&many, &query).await);
        println!("{name}: {small} pages of 10,000 documents, {large} of 200,000");
        // An index of more documents may have a level more.
        assert!(large <= small * 5 / 4 + 10, "{name}");
    }
    let (small, large) = (pages_of_details(&few).await, pages_of_details(&many).await);
    println!("{DETAILS} details: {small} pages, {large}");
    assert!(large * 4 <= small * 5 && large < DETAILS * 3, "a page of an index and one of the table");
    let filters = vec![Filter::Below("severity", Value::Integer(2))];
    let sort = Sort { column: Some("team"), descending: false };
    let unserved = Query { filters, sort, limit: 50, ..Query::default() };
    let (small, large) = (pages(&few, &unserved).await, pages(&many, &unserved).await);
    println!("what no index serves: {small} pages, {large}");
    assert!(large > small * 5, "the control must read more, or this shows nothing");
}
