//! What queries find is what a naive model finds: filters, sorting, pages, and search, alike on both databases.

use std::collections::BTreeSet;

use storage::documents::{Document, Filter, Query, Sort, Table, Value};
use storage::{StorageError, Store};

use crate::bed::{Bed, everywhere};
use crate::dice::Dice;
use crate::documents::{SHAPE, batch, document, write};

everywhere!(
    queries_find_what_a_naive_model_finds,
    searches_find_what_a_naive_model_finds,
    questions_that_no_view_answers_are_refused,
);

const DOCUMENTS: u64 = 400;

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn pick<'a, T>(dice: &mut Dice, from: &'a [T]) -> &'a T {
    &from[usize::try_from(dice.below(from.len() as u64)).unwrap()]
}

/// Few distinct values, so that everything ties with something.
fn columns(dice: &mut Dice) -> Vec<Value> {
    let statuses = ["open", "acknowledged", "résolu", ""].map(text);
    let teams = [Value::Null, text("a"), text("b"), text("ä"), text("B")];
    let number = |dice: &mut Dice, bound| Value::Integer(i64::try_from(dice.below(bound)).unwrap() - 3);
    let severity = if dice.one_in(5) { Value::Null } else { number(dice, 4) };
    vec![pick(dice, &statuses).clone(), pick(dice, &teams).clone(), severity, number(dice, 30)]
}

/// Written in some batches, the later ones replacing documents of the earlier ones.
async fn written(
    store: &Store,
    table: &Table,
    dice: &mut Dice,
    terms: impl Fn(&mut Dice) -> Vec<String>,
) -> Vec<Document> {
    let mut model: Vec<Document> = Vec::new();
    for round in 0..4 {
        let mut documents = Vec::new();
        for n in 0..DOCUMENTS {
            if round == 0 || dice.one_in(4) {
                let key = format!("{:03}", (n * 7919) % 1000);
                let columns = columns(dice);
                documents.push(Document { columns, terms: terms(dice), ..document(&key, round + 1, 0) });
            }
        }
        write(store, table, batch(round, round + 1, &documents)).await;
        model.retain(|old| documents.iter().all(|new| new.key != old.key));
        model.extend(documents);
    }
    model
}

fn matches(document: &Document, filter: &Filter) -> bool {
    let value = |name: &str| {
        let n = SHAPE.columns.iter().position(|column| column.name == name).unwrap();
        &document.columns[n]
    };
    match filter {
        Filter::Is(name, wanted) => value(name) == wanted,
        Filter::In(name, wanted) => wanted.contains(value(name)),
        Filter::AtLeast(name, bound) => *value(name) != Value::Null && value(name) >= bound,
        Filter::Below(name, bound) => *value(name) != Value::Null && value(name) < bound,
    }
}

fn found_by_terms(document: &Document, query: &Query) -> bool {
    let has = |wanted: &String| document.terms.contains(wanted);
    let prefix = query
        .prefix
        .as_ref()
        .is_none_or(|prefix| prefix.is_empty() || document.terms.iter().any(|term| term.starts_with(prefix.as_str())));
    query.terms.iter().all(has) && prefix
}

/// All that is found, in order, with what it was sorted by.
fn expected(model: &[Document], query: &Query) -> Vec<(Value, String)> {
    let sorted_by = |document: &Document| match query.sort.column {
        None => Value::Null,
        Some(name) => document.columns[SHAPE.columns.iter().position(|c| c.name == name).unwrap()].clone(),
    };
    let found = model.iter().filter(|d| query.filters.iter().all(|f| matches(d, f)) && found_by_terms(d, query));
    let mut found: Vec<(Value, String)> = found.map(|d| (sorted_by(d), d.key.clone())).collect();
    found.sort();
    if query.sort.descending {
        found.reverse();
    }
    found
}

/// All pages of a query, one after the other.
async fn paged(store: &Store, table: &Table, query: &Query) -> Vec<(Value, String)> {
    let mut all: Vec<(Value, String)> = Vec::new();
    loop {
        let page = Query { after: all.last().cloned(), ..query.clone() };
        let found = store.query_documents(table, &page).await.unwrap();
        assert!(found.len() <= query.limit);
        if found.is_empty() {
            return all;
        }
        all.extend(found.into_iter().map(|found| (found.sort, found.document.key)));
    }
}

fn random_filter(dice: &mut Dice) -> Filter {
    let values = columns(dice);
    let n = usize::try_from(dice.below(4)).unwrap();
    let name = SHAPE.columns[n].name;
    match (dice.below(4), &values[n]) {
        (0, value) if *value != Value::Null => Filter::AtLeast(name, value.clone()),
        (1, value) if *value != Value::Null => Filter::Below(name, value.clone()),
        (2, _) => Filter::In(name, (0..dice.below(8)).map(|_| columns(dice)[n].clone()).collect()),
        (_, value) => Filter::Is(name, value.clone()),
    }
}

async fn queries_find_what_a_naive_model_finds(bed: &Bed) {
    let mut dice = Dice::new(11);
    let (table, _) = bed.store.open_view(&SHAPE).await.unwrap();
    let model = written(&bed.store, &table, &mut dice, |_| Vec::new()).await;
    let (mut found, mut nothing) = (0, 0);
    for _ in 0..150 {
        let filters: Vec<Filter> = (0..dice.below(4)).map(|_| random_filter(&mut dice)).collect();
        let column = *pick(&mut dice, &[None, Some("opened_at"), Some("status")]);
        let sort = Sort { column, descending: dice.one_in(2) };
        let limit = usize::try_from(5 + dice.below(60)).unwrap();
        let query = Query { filters, sort, limit, ..Query::default() };
        let expected = expected(&model, &query);
        assert_eq!(paged(&bed.store, &table, &query).await, expected, "{query:?}");
        found += usize::from(!expected.is_empty());
        nothing += usize::from(expected.is_empty());
    }
    println!("{found} queries found something, {nothing} nothing");
    assert!(found > 50 && nothing > 5);
    // More combinations than are asked one by one.
    let many = |name| Filter::In(name, (-3..30).map(Value::Integer).chain([Value::Null]).collect());
    let statuses = Filter::In("status", ["open", "acknowledged"].map(text).into());
    let sort = Sort { column: Some("opened_at"), descending: true };
    let filters = vec![many("severity"), statuses, many("opened_at")];
    let query = Query { filters, sort, limit: 1000, ..Query::default() };
    let expected = expected(&model, &query);
    assert!(expected.len() > 100);
    assert_eq!(paged(&bed.store, &table, &query).await, expected);
}

/// Words as people and facets have them, and what a careless encoding would take for syntax.
const WORDS: &[&str] = &[
    "database",
    "data",
    "dat",
    "restart",
    "tag:restart",
    "tag:",
    "tag",
    "über",
    "übermut",
    "ü",
    "🙂",
    "🙂🙂",
    "it's",
    "it",
    "a & b",
    "a",
    "!a",
    "a:*",
    "*",
    "'",
    "''",
    "\\",
    "\\'",
    "\"",
    "(",
    "AND",
    "OR",
    "NOT",
    "NEAR",
    "61",
    "-",
    " ",
    "  ",
    "a\nb",
    "日本語",
    "日本",
    "A",
    "naïve",
    "nai\u{308}ve",
];

async fn searches_find_what_a_naive_model_finds(bed: &Bed) {
    let mut dice = Dice::new(12);
    let (table, _) = bed.store.open_view(&SHAPE).await.unwrap();
    let corpus = |dice: &mut Dice| {
        let words: BTreeSet<String> = (0..dice.below(7)).map(|_| (*pick(dice, WORDS)).to_owned()).collect();
        words.into_iter().collect()
    };
    let live = written(&bed.store, &table, &mut dice, corpus).await;
    // A build's terms are indexed at its end, those of what it is caught up by one by one.
    let generation = bed.store.begin_build(&SHAPE).await.unwrap();
    for part in live.chunks(150) {
        bed.store.fill(&generation, part, &[], &[]).await.unwrap();
    }
    bed.store.finish_build(&generation, 4).await.unwrap();
    let mut built = live.clone();
    for document in &mut built[..40] {
        document.terms = corpus(&mut dice);
    }
    assert!(bed.store.commit_build(&generation, &batch(4, 5, &built[..40])).await.unwrap());
    let (mut found, mut nothing) = (0, 0);
    for _ in 0..150 {
        let terms = (0..dice.below(3)).map(|_| (*pick(&mut dice, WORDS)).to_owned()).collect();
        let prefix = dice.one_in(2).then(|| {
            let word: &str = pick::<&str>(&mut dice, WORDS);
            let letters = 1 + usize::try_from(dice.below(word.chars().count() as u64)).unwrap();
            word.chars().take(letters).collect()
        });
        let filters = (0..dice.below(2)).map(|_| random_filter(&mut dice)).collect();
        let sort = Sort { column: Some("opened_at"), descending: dice.one_in(2) };
        let query = Query { terms, prefix, filters, sort, limit: 40, after: None };
        for (table, model) in [(&table, &live), (&generation, &built)] {
            let expected = expected(model, &query);
            assert_eq!(paged(&bed.store, table, &query).await, expected, "{query:?}");
            found += usize::from(!expected.is_empty());
            nothing += usize::from(expected.is_empty());
        }
    }
    println!("{found} searches found something, {nothing} nothing");
    assert!(found > 50 && nothing > 20);
    // What no document can have is found in none.
    for term in ["", "\0", &"x".repeat(201)] {
        let query = Query { terms: vec![term.to_owned()], limit: 9, ..Query::default() };
        assert_eq!(bed.store.query_documents(&table, &query).await.unwrap(), []);
    }
}

async fn questions_that_no_view_answers_are_refused(bed: &Bed) {
    let (table, _) = bed.store.open_view(&SHAPE).await.unwrap();
    let unsearched = storage::documents::Shape { name: "unsearched", searched: false, ..SHAPE };
    let (unsearched, _) = bed.store.open_view(&unsearched).await.unwrap();
    let fine = Query { limit: 9, ..Query::default() };
    let by = |filter| Query { filters: vec![filter], ..fine.clone() };
    let searched = Query { terms: vec!["a".to_owned()], ..fine.clone() };
    let sorted = |column| Query { sort: Sort { column: Some(column), descending: false }, ..fine.clone() };
    let after = |value| Query { after: Some((value, "a".to_owned())), ..sorted("opened_at") };
    for (table, query) in [
        (&table, by(Filter::Is("body; --", Value::Null))),
        (&table, by(Filter::Is("status", Value::Integer(1)))),
        (&table, by(Filter::AtLeast("opened_at", Value::Null))),
        (&table, by(Filter::In("opened_at", vec![Value::Integer(1), text("1")]))),
        (&table, by(Filter::In("opened_at", (0..201).map(Value::Integer).collect()))),
        (&table, sorted("key")),
        (&table, after(Value::Null)),
        (&table, after(text("1"))),
        (&table, Query { terms: vec!["a".to_owned(); 33], ..fine.clone() }),
        (&unsearched, searched.clone()),
    ] {
        let refused = bed.store.query_documents(table, &query).await;
        assert!(matches!(refused, Err(StorageError::Rejected(_))), "{query:?}: {refused:?}");
    }
    // Controls.
    for query in [fine.clone(), searched, after(Value::Integer(1)), by(Filter::Is("team", Value::Null))] {
        assert_eq!(bed.store.query_documents(&table, &query).await.unwrap(), []);
    }
}
