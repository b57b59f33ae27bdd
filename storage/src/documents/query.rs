//! Questions to a view, and their statements. A statement is written from checked names alone, values are bound; the
//! text depends only on the question's shape, so that each is prepared once.

use std::fmt::Write as _;

use super::{Table, Value, terms};
use crate::StorageError;

/// Documents in one answer, at most.
pub const MAX_PAGE: usize = 1024;

/// Filters by lists are asked one combination of values at a time, so that an index serves each in the order asked for;
/// beyond so many combinations the whole list is one condition, and what it finds is sorted.
pub const MAX_BRANCHES: usize = 32;

/// Values in one list, at most.
const MAX_LIST: usize = 200;

/// Terms in one question, at most.
const MAX_TERMS_ASKED: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// All must hold.
    pub filters: Vec<Filter>,
    /// All must be the document's.
    pub terms: Vec<String>,
    /// One of the document's terms must begin so. An empty one asks for nothing.
    pub prefix: Option<String>,
    pub sort: Sort,
    /// The sort value and the key of the last document of the page before. The value is of no account when the query
    /// sorts by key.
    pub after: Option<(Value, String)>,
    pub limit: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Null: that there is none.
    Is(&'static str, Value),
    In(&'static str, Vec<Value>),
    AtLeast(&'static str, Value),
    Below(&'static str, Value),
}

/// By a column that is never null, and then by key; or by key alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sort {
    pub column: Option<&'static str>,
    pub descending: bool,
}

/// What the two databases write differently.
pub(super) trait Dialect {
    /// From where documents, called `d`, are read.
    fn from(table: &Table, search: bool) -> String;

    /// The condition that a document is found by the parameter `n`.
    fn found(table: &Table, n: usize) -> String;

    fn search(terms: &[String], prefix: Option<&str>) -> String;
}

/// A statement and what is bound to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

/// None: nothing can be found.
pub(super) fn select<D: Dialect>(table: &Table, query: &Query) -> Result<Option<Selection>, StorageError> {
    let Some(search) = search::<D>(table, query)? else { return Ok(None) };
    check(table, query)?;
    let Some(branches) = branches(&query.filters) else { return Ok(None) };
    let mut writer = Writer { table, query, search, values: Vec::new() };
    let parts: Vec<String> = branches.iter().map(|branch| writer.branch::<D>(branch)).collect();
    let sql = match &parts[..] {
        [only] => only.clone(),
        parts => {
            let direction = direction(query.sort);
            let parts: Vec<String> =
                parts.iter().zip(0..).map(|(part, n)| format!("SELECT * FROM ({part}) AS b{n}")).collect();
            let limit = limit(query);
            format!("{} ORDER BY sort {direction}, key {direction} LIMIT {limit}", parts.join(" UNION ALL "))
        }
    };
    Ok(Some(Selection { sql, values: writer.values }))
}

/// What is asked of the terms, empty when nothing is. None: no document has such terms.
fn search<D: Dialect>(table: &Table, query: &Query) -> Result<Option<String>, StorageError> {
    let prefix = query.prefix.as_deref().filter(|prefix| !prefix.is_empty());
    if query.terms.is_empty() && prefix.is_none() {
        return Ok(Some(String::new()));
    }
    if !table.shape().searched || query.terms.len() > MAX_TERMS_ASKED {
        let why = format!("the view {} is searched by at most {MAX_TERMS_ASKED} terms, if at all", table.name());
        return Err(StorageError::Rejected(why));
    }
    let possible = query.terms.iter().map(String::as_str).chain(prefix).all(terms::is_term);
    Ok(possible.then(|| D::search(&query.terms, prefix)))
}

fn check(table: &Table, query: &Query) -> Result<(), StorageError> {
    for filter in &query.filters {
        let (name, values) = match filter {
            Filter::Is(name, value) => (name, std::slice::from_ref(value)),
            Filter::In(name, values) => (name, &values[..]),
            Filter::AtLeast(name, value) | Filter::Below(name, value) => {
                not_null(table, name, value)?;
                (name, std::slice::from_ref(value))
            }
        };
        let kind = table.column(name)?.kind;
        if values.len() > MAX_LIST || !values.iter().all(|value| kind.holds(value)) {
            let view = table.name();
            return Err(StorageError::Rejected(format!("'{name}' of the view {view} is not filtered by such values")));
        }
    }
    if let Some(name) = query.sort.column {
        let kind = table.column(name)?.kind;
        if let Some((value, _)) = &query.after {
            not_null(table, name, value)?;
            if !kind.holds(value) {
                return Err(StorageError::Rejected(format!("the cursor does not fit the sort column '{name}'")));
            }
        }
    }
    Ok(())
}

fn not_null(table: &Table, name: &str, value: &Value) -> Result<(), StorageError> {
    if *value == Value::Null {
        return Err(StorageError::Rejected(format!("'{name}' of the view {} is compared with nothing", table.name())));
    }
    Ok(())
}

/// The filters with every combination of the values of lists, as far as those are few. None: a list is empty.
fn branches(filters: &[Filter]) -> Option<Vec<Vec<Filter>>> {
    let mut branches = vec![Vec::new()];
    for filter in filters {
        match filter {
            Filter::In(name, values) => {
                let mut values = values.clone();
                values.sort_unstable();
                values.dedup();
                if values.is_empty() {
                    return None;
                }
                if branches.len() * values.len() > MAX_BRANCHES {
                    for branch in &mut branches {
                        branch.push(Filter::In(name, values.clone()));
                    }
                } else {
                    let with = |branch: &Vec<Filter>, value: &Value| {
                        let one = Filter::Is(name, value.clone());
                        branch.iter().cloned().chain([one]).collect::<Vec<_>>()
                    };
                    branches = branches.iter().flat_map(|b| values.iter().map(move |v| with(b, v))).collect();
                }
            }
            other => {
                for branch in &mut branches {
                    branch.push(other.clone());
                }
            }
        }
    }
    Some(branches)
}

struct Writer<'a> {
    table: &'a Table,
    query: &'a Query,
    search: String,
    values: Vec<Value>,
}

impl Writer<'_> {
    fn bind(&mut self, value: Value) -> usize {
        self.values.push(value);
        self.values.len()
    }

    fn branch<D: Dialect>(&mut self, filters: &[Filter]) -> String {
        let searched = !self.search.is_empty();
        let mut conditions = Vec::new();
        if searched {
            let n = self.bind(Value::Text(self.search.clone()));
            conditions.push(D::found(self.table, n));
        }
        for filter in filters {
            conditions.push(self.condition(filter));
        }
        conditions.extend(self.beyond());
        let sort = self.query.sort.column.map_or_else(|| "d.key".to_owned(), |name| format!("d.c_{name}"));
        let mut sql = format!(
            "SELECT d.key, d.position, d.body, d.parked_at, d.parked_why, {sort} AS sort FROM {}",
            D::from(self.table, searched)
        );
        for (n, condition) in conditions.iter().enumerate() {
            let _infallible = write!(sql, " {} {condition}", if n == 0 { "WHERE" } else { "AND" });
        }
        let limit = limit(self.query);
        let _infallible = write!(sql, " ORDER BY {} LIMIT {limit}", order(filters, self.query.sort));
        sql
    }

    fn condition(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::Is(name, Value::Null) => format!("d.c_{name} IS NULL"),
            Filter::Is(name, value) => format!("d.c_{name} = ${}", self.bind(value.clone())),
            Filter::AtLeast(name, value) => format!("d.c_{name} >= ${}", self.bind(value.clone())),
            Filter::Below(name, value) => format!("d.c_{name} < ${}", self.bind(value.clone())),
            // More than one value, so at least one that is not null.
            Filter::In(name, values) => {
                let given = values.iter().filter(|value| **value != Value::Null);
                let given: Vec<String> = given.map(|value| format!("${}", self.bind(value.clone()))).collect();
                let or_null =
                    if given.len() < values.len() { format!(" OR d.c_{name} IS NULL") } else { String::new() };
                format!("(d.c_{name} IN ({}){or_null})", given.join(", "))
            }
        }
    }

    /// That a document comes after the cursor.
    fn beyond(&mut self) -> Option<String> {
        let (value, key) = self.query.after.clone()?;
        let than = if self.query.sort.descending { '<' } else { '>' };
        Some(match self.query.sort.column {
            Some(name) => {
                let value = self.bind(value);
                format!("(d.c_{name}, d.key) {than} (${value}, ${})", self.bind(Value::Text(key)))
            }
            None => format!("d.key {than} ${}", self.bind(Value::Text(key))),
        })
    }
}

fn direction(sort: Sort) -> &'static str {
    if sort.descending { "DESC" } else { "ASC" }
}

/// Columns that are null in all that is found come first: so PostgreSQL sees that an index has this order.
fn order(filters: &[Filter], sort: Sort) -> String {
    let nulls = filters.iter().filter_map(|filter| match filter {
        Filter::Is(name, Value::Null) => Some(format!("d.c_{name}")),
        _ => None,
    });
    let sorted = sort.column.map(|name| format!("d.c_{name}"));
    let columns: Vec<String> = nulls.chain(sorted).chain(["d.key".to_owned()]).collect();
    let direction = direction(sort);
    columns.iter().map(|column| format!("{column} {direction}")).collect::<Vec<_>>().join(", ")
}

/// Written into the statement, so that the planner knows how few rows are wanted; of few sizes, so that statements are.
fn limit(query: &Query) -> usize {
    query.limit.clamp(16, MAX_PAGE).next_power_of_two()
}
