//! Two generations of a view side by side, document by document in the order of their keys, in constant memory.

use std::cmp::Ordering;
use std::collections::VecDeque;

use storage::documents::{Document, Table};
use storage::{StorageError, Store};

use crate::diff::Part;

/// Documents read at once.
const PAGE: usize = 200;

/// The documents of one generation, by key.
pub(crate) struct Documents<'a> {
    store: &'a Store,
    table: &'a Table,
    ready: VecDeque<Document>,
    last: Option<String>,
    ended: bool,
}

impl<'a> Documents<'a> {
    pub(crate) fn of(store: &'a Store, table: &'a Table) -> Self {
        Self { store, table, ready: VecDeque::new(), last: None, ended: false }
    }

    async fn peek(&mut self) -> Result<Option<&Document>, StorageError> {
        if self.ready.is_empty() && !self.ended {
            let page = self.store.all_documents(self.table, self.last.as_deref(), PAGE).await?;
            self.ended = page.len() < PAGE;
            self.last = page.last().map(|document| document.key.clone());
            self.ready = page.into();
        }
        Ok(self.ready.front())
    }

    fn next(&mut self) -> Option<Document> {
        self.ready.pop_front()
    }
}

/// What stands under one key.
pub(crate) enum Pair {
    Live(Document),
    Built(Document),
    Both(Document, Document),
}

/// What stands under the next key; None behind the last one.
pub(crate) async fn next(live: &mut Documents<'_>, built: &mut Documents<'_>) -> Result<Option<Pair>, StorageError> {
    let order = match (live.peek().await?, built.peek().await?) {
        (None, None) => return Ok(None),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(live), Some(built)) => live.key.cmp(&built.key),
    };
    Ok(match order {
        Ordering::Less => live.next().map(Pair::Live),
        Ordering::Greater => built.next().map(Pair::Built),
        Ordering::Equal => live.next().zip(built.next()).map(|(live, built)| Pair::Both(live, built)),
    })
}

/// In which parts two documents under one key differ.
pub(crate) fn parts(live: &Document, built: &Document) -> Vec<Part> {
    let parts = [
        (Part::Body, live.body == built.body),
        (Part::Columns, live.columns == built.columns),
        (Part::Terms, sorted(&live.terms) == sorted(&built.terms)),
        (Part::Position, live.position == built.position),
        (Part::Parked, live.parked.as_ref().map(|parked| parked.at) == built.parked.as_ref().map(|parked| parked.at)),
    ];
    parts.into_iter().filter(|(_, same)| !same).map(|(part, _)| part).collect()
}

fn sorted(terms: &[String]) -> Vec<&str> {
    let mut terms: Vec<&str> = terms.iter().map(String::as_str).collect();
    terms.sort_unstable();
    terms
}

#[cfg(test)]
mod tests {
    use storage::documents::{Document, Parked, Value};

    use super::parts;
    use crate::diff::Part;

    #[test]
    fn every_part_is_compared() {
        let document = || Document {
            key: "k".to_owned(),
            position: 1,
            body: "{}".to_owned(),
            columns: vec![Value::Integer(1)],
            terms: vec!["a".to_owned(), "b".to_owned()],
            parked: None,
        };
        let changed = |change: fn(&mut Document)| {
            let mut other = document();
            change(&mut other);
            parts(&document(), &other)
        };
        assert_eq!(changed(|_| {}), []);
        assert_eq!(changed(|d| d.terms.reverse()), [], "terms are a set");
        assert_eq!(changed(|d| d.body.push(' ')), [Part::Body]);
        assert_eq!(changed(|d| d.columns = vec![Value::Null]), [Part::Columns]);
        assert_eq!(changed(|d| d.terms.truncate(1)), [Part::Terms]);
        assert_eq!(changed(|d| d.position = 2), [Part::Position]);
        assert_eq!(changed(|d| d.parked = Some(Parked { at: 2, why: String::new() })), [Part::Parked]);
    }
}
