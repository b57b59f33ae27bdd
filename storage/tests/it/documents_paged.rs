//! Pages stay true while documents change: who did not move is neither skipped nor repeated. Control: pages by offset
//! skip and repeat.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Row};
use storage::Store;
use storage::documents::{Document, Query, Sort, Table};

use crate::bed::{Bed, Outside, on_both};
use crate::dice::Dice;
use crate::documents::{SHAPE, batch, document, outside, write};

on_both!(who_does_not_move_is_on_one_page);

const DOCUMENTS: u64 = 300;
const PAGE: usize = 17;

fn opened_at(dice: &mut Dice) -> i64 {
    i64::try_from(dice.below(100)).unwrap()
}

/// What happens between two pages: documents with odd numbers move to anywhere, others come.
async fn change(store: &Store, table: &Table, position: &mut u64, dice: &mut Dice) {
    let mut documents: Vec<Document> = Vec::new();
    for n in (1..DOCUMENTS).step_by(2) {
        if dice.one_in(4) {
            documents.push(document(&format!("{n:03}"), *position, opened_at(dice)));
        }
    }
    documents.push(document(&format!("new {position}"), *position, opened_at(dice)));
    write(store, table, batch(*position, *position + 1, &documents)).await;
    *position += 1;
}

/// How often each document that does not move is seen on pages, each of which the function reads.
fn seen_of(keys: &[String]) -> BTreeMap<u64, usize> {
    let mut seen: BTreeMap<u64, usize> = (0..DOCUMENTS).step_by(2).map(|n| (n, 0)).collect();
    for key in keys {
        if let Some(count) = key.parse().ok().and_then(|n| seen.get_mut(&n)) {
            *count += 1;
        }
    }
    seen
}

/// The control: a page of those for which `condition` holds, by how many there are before it.
pub(crate) async fn by_offset(
    outside: &mut Outside,
    bed: &Bed,
    condition: &str,
    offset: usize,
    direction: &str,
    limit: usize,
) -> Vec<String> {
    let table = bed.sql("view_things_v1_g1", "pagefree_views.view_things_v1_g1");
    let order = format!("ORDER BY c_opened_at {direction}, key {direction} LIMIT {limit} OFFSET {offset}");
    let sql = AssertSqlSafe(format!("SELECT key FROM {table} WHERE {condition} {order}"));
    match outside {
        Outside::Sqlite(c) => sqlx::query(sql).fetch_all(c).await.unwrap().iter().map(|row| row.get(0)).collect(),
        Outside::Postgres(c) => sqlx::query(sql).fetch_all(c).await.unwrap().iter().map(|row| row.get(0)).collect(),
    }
}

async fn who_does_not_move_is_on_one_page(bed: &Bed) {
    let store = &bed.store;
    let (table, _) = store.open_view(&SHAPE).await.unwrap();
    let mut dice = Dice::new(13);
    let documents: Vec<Document> =
        (0..DOCUMENTS).map(|n| document(&format!("{n:03}"), 1, opened_at(&mut dice))).collect();
    write(store, &table, batch(0, 1, &documents)).await;
    let (mut position, mut outside) = (1, outside(bed).await);
    let mut hurt = 0;
    for round in 0..6 {
        let descending = round % 2 == 0;
        let sort = Sort { column: Some("opened_at"), descending };
        let mut query = Query { sort, limit: PAGE, ..Query::default() };
        let mut keys = Vec::new();
        loop {
            let page = store.query_documents(&table, &query).await.unwrap();
            let Some(last) = page.last() else { break };
            query.after = Some((last.sort.clone(), last.document.key.clone()));
            keys.extend(page.into_iter().map(|found| found.document.key));
            change(store, &table, &mut position, &mut dice).await;
        }
        let seen = seen_of(&keys);
        assert!(seen.values().all(|&count| count == 1), "{seen:?}");

        let mut offset = 0;
        let mut keys = Vec::new();
        loop {
            let direction = if descending { "DESC" } else { "ASC" };
            let page = by_offset(&mut outside, bed, "true", offset, direction, PAGE).await;
            let full = page.len() == PAGE;
            offset += page.len();
            keys.extend(page);
            if !full {
                break;
            }
            change(store, &table, &mut position, &mut dice).await;
        }
        hurt += seen_of(&keys).values().filter(|&&count| count != 1).count();
    }
    println!("by offset, {hurt} documents were skipped or repeated");
    assert!(hurt > 0, "the control must skip or repeat, or this shows nothing");
}
