//! As [`crate::documents_paged`], but somebody writes as fast as he can while pages are read, and lists are filtered:
//! documents come, move, leave the list and come back. Control: the same read by offset skips and repeats.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use storage::Store;
use storage::documents::{Document, Filter, Query, Sort, Table, Value};
use tokio::task::JoinHandle;

use crate::bed::{Bed, Outside, on_both};
use crate::dice::Dice;
use crate::documents::{SHAPE, batch, document, outside, write};
use crate::documents_paged::by_offset;

on_both!(who_does_not_move_is_on_one_page_whatever_is_written_meanwhile);

const DOCUMENTS: u64 = 200;
/// Documents that come while others are paged through, at most: else who reads slower than they come never ends.
const COMING: u64 = 1_500;
const PAGE: usize = 7;
const LISTED: [&str; 2] = ["open", "acknowledged"];
const ROUNDS: u64 = 12;
/// Batches written while pages are read by cursor, at least.
const BATCHES: u64 = 200;

fn opened_at(dice: &mut Dice) -> i64 {
    i64::try_from(dice.below(100)).unwrap()
}

fn with_status(mut document: Document, status: &str) -> Document {
    document.columns[0] = Value::Text(status.to_owned());
    document
}

/// One that stays where it is, though it changes: its status does not matter to a list that shows both.
fn staying(n: u64, position: u64, dice: &mut Dice) -> Document {
    let status = LISTED[usize::from(dice.one_in(2))];
    with_status(document(&format!("{n:03}"), position, i64::try_from(n * 37 % 100).unwrap()), status)
}

/// One that goes anywhere, also out of the list.
fn moving(n: u64, position: u64, dice: &mut Dice) -> Document {
    let status = *["open", "acknowledged", "resolved"].get(usize::try_from(dice.below(3)).unwrap()).unwrap();
    with_status(document(&format!("{n:03}"), position, opened_at(dice)), status)
}

fn either(n: u64, position: u64, dice: &mut Dice) -> Document {
    if n.is_multiple_of(2) { staying(n, position, dice) } else { moving(n, position, dice) }
}

/// Writes batch after batch without a pause, until he is told to stop.
struct Writer {
    stop: Arc<AtomicBool>,
    /// Batches written so far.
    batches: Arc<AtomicU64>,
    /// Documents of those that stay which have come so far.
    come: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Writer {
    fn start(store: Store, table: Table) -> Self {
        let (stop, batches, come) = (Arc::new(AtomicBool::new(false)), Arc::default(), Arc::default());
        let task = tokio::spawn(write_on(store, table, stop.clone(), Arc::clone(&batches), Arc::clone(&come)));
        Self { stop, batches, come, task }
    }

    fn batches(&self) -> u64 {
        self.batches.load(Ordering::SeqCst)
    }

    async fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
    }
}

async fn write_on(store: Store, table: Table, stop: Arc<AtomicBool>, batches: Arc<AtomicU64>, come: Arc<AtomicU64>) {
    let mut dice = Dice::new(29);
    for position in 1.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let touched: Vec<u64> = (0..DOCUMENTS).filter(|_| dice.one_in(4)).collect();
        let mut documents: Vec<Document> = touched.into_iter().map(|n| either(n, position + 1, &mut dice)).collect();
        let coming = come.load(Ordering::SeqCst);
        if coming < COMING {
            documents.push(document(&format!("new {coming}"), position + 1, opened_at(&mut dice)));
        }
        write(&store, &table, batch(position, position + 1, &documents)).await;
        come.store(COMING.min(coming + 1), Ordering::SeqCst);
        batches.fetch_add(1, Ordering::SeqCst);
    }
}

/// What a list shows whatever happens to it while it is read.
struct Expected {
    /// Those that had come before.
    come: u64,
}

impl Expected {
    /// How many were skipped or repeated.
    fn hurt(&self, keys: &[String]) -> usize {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for key in keys {
            *seen.entry(key.clone()).or_default() += 1;
        }
        let once = |key: &String| seen.get(key) == Some(&1);
        let stayed = (0..DOCUMENTS).step_by(2).map(|n| format!("{n:03}"));
        let were_there = stayed.chain((0..self.come).map(|n| format!("new {n}")));
        let missed = were_there.filter(|key| !once(key)).count();
        // Who comes meanwhile comes before or behind the place that was reached: he may be missed, but not repeated.
        let came = (self.come..COMING).map(|n| format!("new {n}"));
        missed + came.filter(|key| seen.get(key).is_some_and(|&count| count > 1)).count()
    }
}

/// All keys of the list, page by page.
async fn by_cursor(store: &Store, table: &Table, mut query: Query) -> Vec<String> {
    let mut keys = Vec::new();
    loop {
        let page = store.query_documents(table, &query).await.unwrap();
        let Some(last) = page.last() else { return keys };
        query.after = Some((last.sort.clone(), last.document.key.clone()));
        keys.extend(page.into_iter().map(|found| found.document.key));
    }
}

async fn all_by_offset(outside: &mut Outside, bed: &Bed, filtered: bool, direction: &str) -> Vec<String> {
    let condition = if filtered { "c_status IN ('open', 'acknowledged')" } else { "true" };
    let mut keys = Vec::new();
    loop {
        let page = by_offset(outside, bed, condition, keys.len(), direction, PAGE).await;
        let full = page.len() == PAGE;
        keys.extend(page);
        if !full {
            return keys;
        }
    }
}

async fn who_does_not_move_is_on_one_page_whatever_is_written_meanwhile(bed: &Bed) {
    let store = &bed.store;
    let (table, _) = store.open_view(&SHAPE).await.unwrap();
    let mut dice = Dice::new(31);
    let documents: Vec<Document> = (0..DOCUMENTS).map(|n| either(n, 1, &mut dice)).collect();
    write(store, &table, batch(0, 1, &documents)).await;
    let writer = Writer::start(store.clone(), table.clone());
    let mut outside = outside(bed).await;
    let mut hurt = 0;
    let (mut rounds, mut batches, mut pages) = (0, 0, 0);
    while rounds < ROUNDS || batches < BATCHES {
        assert!(rounds < 2_000, "somebody writes meanwhile, or this shows nothing: {batches} batches");
        let (filtered, descending) = (rounds % 2 == 0, rounds % 4 < 2);
        let listed = LISTED.map(|status| Value::Text(status.to_owned())).to_vec();
        let filters = if filtered { vec![Filter::In("status", listed)] } else { vec![] };
        let sort = Sort { column: Some("opened_at"), descending };
        let before = writer.batches();
        let expected = Expected { come: writer.come.load(Ordering::SeqCst) };
        let keys = by_cursor(store, &table, Query { filters, sort, limit: PAGE, ..Query::default() }).await;
        assert_eq!(expected.hurt(&keys), 0, "{keys:?}");
        batches += writer.batches() - before;
        pages += keys.len().div_ceil(PAGE);
        rounds += 1;

        let expected = Expected { come: writer.come.load(Ordering::SeqCst) };
        let direction = if descending { "DESC" } else { "ASC" };
        hurt += expected.hurt(&all_by_offset(&mut outside, bed, filtered, direction).await);
    }
    writer.end().await;
    println!(
        "{rounds} rounds, {pages} pages by cursor while {batches} batches were written: nobody skipped or repeated"
    );
    println!("by offset, {hurt} documents were skipped or repeated");
    assert!(hurt > 0, "the control must skip or repeat, or this shows nothing");
}
