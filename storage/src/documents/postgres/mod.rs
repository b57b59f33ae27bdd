//! Documents on PostgreSQL: a batch goes in as one statement, whose parts all hang on its compare-and-set.

mod control;
mod fill;
mod tables;

use std::sync::Arc;
use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use self::tables::SCHEMA;
use super::query::{Dialect, MAX_PAGE, Query, select};
use super::{Commit, Document, Found, Kind, Parked, Stored, Table, Value, terms};
use crate::StorageError;
use crate::clock::micros;
use crate::database::{Postgres, Statement};
use crate::events::columns::{narrow, signed, unsigned};

/// The statements on one generation, written once.
pub(super) struct Statements {
    load: Arc<str>,
    load_one: Arc<str>,
    commit: Arc<str>,
    commit_build: Arc<str>,
    touches: Arc<str>,
    all: Arc<str>,
    fill_documents: Arc<str>,
    fill_touches: Arc<str>,
}

const STORED: &str = "d.key, d.position, d.body, d.parked_at, d.parked_why";

impl Statements {
    pub(super) fn of(table: &Table) -> Self {
        let (documents, touches) = (table.documents(), table.touches());
        let columns = table.columns().iter().map(|column| format!(", c_{}", column.name)).collect::<Vec<_>>().concat();
        let written = format!("key, position, body, parked_at, parked_why{columns}{}", searched(table, ", terms"));
        let array = searched(table, ", tsvector_to_array(d.terms) AS terms");
        Self {
            load: format!("SELECT {STORED} FROM {SCHEMA}.{documents} d WHERE d.key = ANY ($1)").into(),
            // A hash index finds one; for many at once the planner would not take it, nor would it be faster.
            load_one: format!("SELECT {STORED} FROM {SCHEMA}.{documents} d WHERE d.key = $1").into(),
            commit: commit(table, true).into(),
            commit_build: commit(table, false).into(),
            touches: format!(
                "SELECT position FROM {SCHEMA}.{touches} WHERE key = $1 AND position > $2 ORDER BY position LIMIT $3"
            )
            .into(),
            all: format!(
                "SELECT {STORED}{columns}{array} FROM {SCHEMA}.{documents} d WHERE d.key > $1 ORDER BY d.key LIMIT $2"
            )
            .into(),
            fill_documents: format!("COPY {SCHEMA}.{documents} ({written}) FROM STDIN").into(),
            fill_touches: format!("COPY {SCHEMA}.{touches} (key, position) FROM STDIN").into(),
        }
    }
}

fn searched(table: &Table, part: &'static str) -> &'static str {
    if table.shape().searched { part } else { "" }
}

/// Numbers parameters in the order in which they are written, which is that of `Batch::bind`.
struct Parameters(usize);

impl Parameters {
    fn next(&mut self, of: &str) -> String {
        self.0 += 1;
        format!("${}::{of}", self.0)
    }
}

/// The compare-and-set comes first: the rest reads whether it moved anything. A second writer waits for the row that it
/// moves, sees that it moved, and writes nothing.
fn commit(table: &Table, live: bool) -> String {
    let (name, version, generation) = (table.name(), table.version(), table.generation());
    let mut p = Parameters(0);
    let documents = upsert(table, &mut p);
    let touches = if table.shape().touches {
        let (keys, positions) = (p.next("text[]"), p.next("bigint[]"));
        format!(
            "touched AS (
               INSERT INTO {SCHEMA}.{} SELECT t.key, t.position FROM unnest({keys}, {positions}) AS t(key, position)
                WHERE (SELECT count(*) FROM moved) = 1 ON CONFLICT DO NOTHING),",
            table.touches()
        )
    } else {
        String::new()
    };
    let (grouping, value, by) = (p.next("text[]"), p.next("text[]"), p.next("bigint[]"));
    let counts = format!(
        "counted AS (
           INSERT INTO view_counts AS c (view, version, generation, grouping, value, n)
           SELECT '{name}', {version}, {generation}, d.grouping, d.value, sum(d.by)::bigint
             FROM unnest({grouping}, {value}, {by}) AS d(grouping, value, by) WHERE (SELECT count(*) FROM moved) = 1
            GROUP BY d.grouping, d.value
           ON CONFLICT (view, version, generation, grouping, value) DO UPDATE SET n = c.n + excluded.n)"
    );
    let (from, to) = (p.next("bigint"), p.next("bigint"));
    let of = format!("name = '{name}' AND version = {version} AND generation = {generation} AND position = {from}");
    let moved = if live {
        let (me, lease) = (p.next("uuid"), p.next("bigint"));
        format!(
            "UPDATE views SET position = {to}, held_by = {me}, updated_at = clock_timestamp(),
                    held_until = clock_timestamp() + {lease} * interval '1 microsecond'
              WHERE {of} AND NOT paused AND halted_kind IS NULL
                AND (held_by = {me} OR held_until IS NULL OR held_until <= clock_timestamp())"
        )
    } else {
        format!("UPDATE view_builds SET position = {to} WHERE {of}")
    };
    // What is derived need not be flushed at once: after a crash, position and documents go back together.
    format!(
        "WITH moved AS ({moved} RETURNING 1), {documents}, {touches} {counts}
         SELECT count(*) AS moved, set_config('synchronous_commit', 'off', true) FROM moved"
    )
}

fn upsert(table: &Table, p: &mut Parameters) -> String {
    let mut names: Vec<String> = ["key", "position", "body", "parked_at", "parked_why"].map(str::to_owned).into();
    let mut arrays = vec![p.next("text[]"), p.next("bigint[]"), p.next("text[]"), p.next("bigint[]"), p.next("text[]")];
    for column in table.columns() {
        names.push(format!("c_{}", column.name));
        arrays.push(p.next(if column.kind == Kind::Text { "text[]" } else { "bigint[]" }));
    }
    let mut values: Vec<String> = names.iter().map(|name| format!("n.{name}")).collect();
    if table.shape().searched {
        names.push("terms".to_owned());
        arrays.push(p.next("text[]"));
        values.push("n.terms::tsvector".to_owned());
    }
    let set: Vec<String> = names[1..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let (names, values, arrays) = (names.join(", "), values.join(", "), arrays.join(", "));
    format!(
        "written AS (
           INSERT INTO {SCHEMA}.{} ({names}) SELECT {values} FROM unnest({arrays}) AS n({names})
            WHERE (SELECT count(*) FROM moved) = 1 ON CONFLICT (key) DO UPDATE SET {})",
        table.documents(),
        set.join(", ")
    )
}

/// Binds a batch in the order of [`commit`].
fn bind(mut query: Statement, table: &Table, commit: &Commit<'_>) -> Statement {
    let documents = commit.documents;
    query = query.bind(each(documents, |d| d.key.as_str()));
    query = query.bind(each(documents, |d| signed(d.position)));
    query = query.bind(each(documents, |d| d.body.as_str()));
    query = query.bind(each(documents, |d| d.parked.as_ref().map(|parked| signed(parked.at))));
    query = query.bind(each(documents, |d| d.parked.as_ref().map(|parked| parked.why.as_str())));
    for (n, column) in table.columns().iter().enumerate() {
        query = match column.kind {
            Kind::Text => query.bind(each(documents, |d| text(&d.columns[n]))),
            Kind::Integer => query.bind(each(documents, |d| integer(&d.columns[n]))),
        };
    }
    if table.shape().searched {
        query = query.bind(each(documents, |d| terms::tsvector(&d.terms)));
    }
    if table.shape().touches {
        query = query.bind(each(commit.touches, |touch| touch.key.as_str()));
        query = query.bind(each(commit.touches, |touch| signed(touch.position)));
    }
    query = query.bind(each(commit.counts, |count| count.grouping));
    query = query.bind(each(commit.counts, |count| count.value.as_str()));
    query = query.bind(each(commit.counts, |count| count.by));
    query.bind(signed(commit.from)).bind(signed(commit.to))
}

/// One column of a call.
fn each<'a, T, C>(rows: &'a [T], column: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(column).collect()
}

fn text(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

fn integer(value: &Value) -> Option<i64> {
    if let Value::Integer(number) = value { Some(*number) } else { None }
}

/// A generation that is gone is told as such.
fn of_table(table: &Table) -> impl Fn(sqlx::Error) -> StorageError {
    |error| match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
        Some("42P01") => table.superseded(),
        _ => error.into(),
    }
}

impl Postgres {
    pub(super) async fn load_documents(&self, table: &Table, keys: &[String]) -> Result<Vec<Stored>, StorageError> {
        let query = match keys {
            [key] => self.written(&table.postgres().load_one).bind(key.clone()),
            keys => self.written(&table.postgres().load).bind(keys),
        };
        let rows = self.rows(query).await.map_err(of_table(table))?;
        rows.iter().map(stored).collect()
    }

    pub(super) async fn commit_documents(
        &self,
        table: &Table,
        me: Uuid,
        lease: Duration,
        commit: &Commit<'_>,
    ) -> Result<bool, StorageError> {
        let query = bind(self.written(&table.postgres().commit), table, commit).bind(me).bind(micros(lease));
        self.moved(table, query).await
    }

    pub(super) async fn commit_build(&self, table: &Table, commit: &Commit<'_>) -> Result<bool, StorageError> {
        let query = bind(self.written(&table.postgres().commit_build), table, commit);
        self.moved(table, query).await
    }

    async fn moved(&self, table: &Table, query: Statement) -> Result<bool, StorageError> {
        let row = self.row(query).await.map_err(of_table(table))?.ok_or(sqlx::Error::RowNotFound)?;
        Ok(row.try_get::<i64, _>("moved")? == 1)
    }

    pub(super) async fn query_documents(&self, table: &Table, query: &Query) -> Result<Vec<Found>, StorageError> {
        let Some(selection) = select::<Self>(table, query)? else { return Ok(Vec::new()) };
        let mut statement = self.written(&selection.sql.into());
        for value in selection.values {
            statement = match value {
                Value::Null => statement.bind(None::<i64>),
                Value::Text(text) => statement.bind(text),
                Value::Integer(number) => statement.bind(number),
            };
        }
        let rows = self.rows(statement).await.map_err(of_table(table))?;
        let kind = query.sort.column.map(|name| table.column(name)).transpose()?.map(|column| column.kind);
        let page = rows.iter().take(query.limit.min(MAX_PAGE));
        page.map(|row| Ok(Found { document: stored(row)?, sort: value(row, "sort", kind)? })).collect()
    }

    pub(super) async fn view_counts(&self, table: &Table) -> Result<Vec<(String, String, i64)>, StorageError> {
        // One row without a group where there is nothing to count; none where the generation is gone.
        const COUNTS: &str = "
            SELECT c.grouping, c.value, c.n
              FROM (SELECT generation FROM views WHERE name = $1 AND version = $2 AND generation = $3
                    UNION SELECT generation FROM view_builds WHERE name = $1 AND version = $2 AND generation = $3) g
              LEFT JOIN view_counts c
                ON c.view = $1 AND c.version = $2 AND c.generation = g.generation AND c.n <> 0
             ORDER BY c.grouping, c.value";
        let query = self.query(COUNTS).bind(table.name()).bind(table.version().cast_signed());
        let rows = self.rows(query.bind(table.generation().cast_signed())).await?;
        if rows.is_empty() {
            return Err(table.superseded());
        }
        let mut counts = Vec::with_capacity(rows.len());
        for row in &rows {
            if let Some(grouping) = row.try_get::<Option<String>, _>(0)? {
                counts.push((grouping, row.try_get(1)?, row.try_get(2)?));
            }
        }
        Ok(counts)
    }

    pub(super) async fn touches(
        &self,
        table: &Table,
        key: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<u64>, StorageError> {
        let query = self.written(&table.postgres().touches).bind(key).bind(signed(after));
        let rows = self.rows(query.bind(i64::from(narrow(limit)))).await.map_err(of_table(table))?;
        rows.iter().map(|row| Ok(unsigned(row.try_get("position")?))).collect()
    }

    pub(super) async fn all_documents(
        &self,
        table: &Table,
        after_key: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Document>, StorageError> {
        // No key is empty.
        let query = self.written(&table.postgres().all).bind(after_key.unwrap_or_default());
        let rows = self.rows(query.bind(i64::from(narrow(limit.min(MAX_PAGE))))).await.map_err(of_table(table))?;
        rows.iter().map(|row| document(table, row)).collect()
    }
}

impl Dialect for Postgres {
    fn from(table: &Table, _search: bool) -> String {
        format!("{SCHEMA}.{} d", table.documents())
    }

    fn found(_table: &Table, n: usize) -> String {
        format!("d.terms @@ ${n}::text::tsquery")
    }

    fn search(terms: &[String], prefix: Option<&str>) -> String {
        terms::tsquery(terms, prefix)
    }
}

fn stored(row: &PgRow) -> Result<Stored, StorageError> {
    let parked = match row.try_get::<Option<i64>, _>("parked_at")? {
        Some(at) => Some(Parked { at: unsigned(at), why: row.try_get("parked_why")? }),
        None => None,
    };
    Ok(Stored {
        key: row.try_get("key")?,
        position: unsigned(row.try_get("position")?),
        body: row.try_get("body")?,
        parked,
    })
}

fn document(table: &Table, row: &PgRow) -> Result<Document, StorageError> {
    let Stored { key, position, body, parked } = stored(row)?;
    let columns = table.columns().iter().map(|c| value(row, &format!("c_{}", c.name), Some(c.kind)));
    let columns = columns.collect::<Result<_, _>>()?;
    let mut terms: Vec<String> = if table.shape().searched { row.try_get("terms")? } else { Vec::new() };
    terms.sort_unstable();
    Ok(Document { key, position, body, columns, terms, parked })
}

/// Null when there is no such column to read.
fn value(row: &PgRow, name: &str, kind: Option<Kind>) -> Result<Value, StorageError> {
    Ok(match kind {
        None => Value::Null,
        Some(Kind::Text) => row.try_get::<Option<String>, _>(name)?.map_or(Value::Null, Value::Text),
        Some(Kind::Integer) => row.try_get::<Option<i64>, _>(name)?.map_or(Value::Null, Value::Integer),
    })
}
