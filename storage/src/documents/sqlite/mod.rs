//! Documents on SQLite, in a file beside the log: a batch goes in as JSON, by set-based statements in one immediate
//! transaction that begins with the compare-and-set.

mod control;
#[cfg(test)]
mod plans;
mod tables;

use std::time::Duration;

use serde::ser::{Serialize, SerializeSeq, Serializer};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use std::sync::Arc;
use uuid::Uuid;

use super::query::{Dialect, MAX_PAGE, Query, select};
use super::{Commit, CountDelta, Document, Found, Kind, Parked, Stored, Table, Touch, Value, terms};
use crate::StorageError;
use crate::clock::micros;
use crate::database::Views;
use crate::events::columns::{narrow, signed, unsigned};

/// The statements on one generation, written once. What is written comes as `$1`, an array of arrays.
pub(super) struct Statements {
    load: Arc<str>,
    upsert: Arc<str>,
    touch: Arc<str>,
    touches: Arc<str>,
    all: Arc<str>,
}

const STORED: &str = "d.key, d.position, d.body, d.parked_at, d.parked_why";

impl Statements {
    pub(super) fn of(table: &Table) -> Self {
        let (documents, touches) = (table.documents(), table.touches());
        let mut names: Vec<String> = ["key", "position", "body", "parked_at", "parked_why"].map(str::to_owned).into();
        names.extend(table.columns().iter().map(|column| format!("c_{}", column.name)));
        names.extend(table.shape().searched.then(|| "terms".to_owned()));
        let values: Vec<String> = (0..names.len()).map(|n| format!("n.value ->> {n}")).collect();
        let set: Vec<String> = names[1..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let columns = names[5..].iter().map(|name| format!(", d.{name}")).collect::<Vec<_>>().concat();
        Self {
            load: format!(
                "SELECT {STORED} FROM json_each($1) k CROSS JOIN {documents} d ON d.key = k.value GROUP BY d.id"
            )
            .into(),
            // WHERE: without it, ON would belong to a join.
            upsert: format!(
                "INSERT INTO {documents} ({}) SELECT {} FROM json_each($1) n WHERE true
                 ON CONFLICT (key) DO UPDATE SET {}",
                names.join(", "),
                values.join(", "),
                set.join(", ")
            )
            .into(),
            touch: format!(
                "INSERT INTO {touches} (key, position) SELECT t.value ->> 0, t.value ->> 1 FROM json_each($1) t
                  WHERE true ON CONFLICT DO NOTHING"
            )
            .into(),
            touches: format!(
                "SELECT position FROM {touches} WHERE key = $1 AND position > $2 ORDER BY position LIMIT $3"
            )
            .into(),
            all: format!("SELECT {STORED}{columns} FROM {documents} d WHERE d.key > $1 ORDER BY d.key LIMIT $2").into(),
        }
    }
}

const MOVE: &str = "
UPDATE views SET position = $5, held_by = $6, updated_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER),
       held_until = CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $7
 WHERE name = $1 AND version = $2 AND generation = $3 AND position = $4 AND NOT paused AND halted_kind IS NULL
   AND (held_by = $6 OR held_until IS NULL OR held_until <= CAST(unixepoch('subsec') * 1000000 AS INTEGER))";
const MOVE_BUILD: &str =
    "UPDATE view_builds SET position = $5 WHERE name = $1 AND version = $2 AND generation = $3 AND position = $4";
const COUNT: &str = "
INSERT INTO view_counts AS c (view, version, generation, grouping, value, n)
SELECT $2, $3, $4, d.value ->> 0, d.value ->> 1, sum(d.value ->> 2) FROM json_each($1) d WHERE true GROUP BY 4, 5
ON CONFLICT (view, version, generation, grouping, value) DO UPDATE SET n = c.n + excluded.n";

/// The rows of a statement over `json_each`.
struct Documents<'a>(&'a Table, &'a [Document]);
struct DocumentRow<'a>(&'a Table, &'a Document);

impl Serialize for Documents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|document| DocumentRow(self.0, document)))
    }
}

impl Serialize for DocumentRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let DocumentRow(table, document) = self;
        let parked = document.parked.as_ref();
        let mut row = serializer.serialize_seq(None)?;
        row.serialize_element(&document.key)?;
        row.serialize_element(&document.position)?;
        row.serialize_element(&document.body)?;
        row.serialize_element(&parked.map(|parked| parked.at))?;
        row.serialize_element(&parked.map(|parked| &parked.why))?;
        for value in &document.columns {
            match value {
                Value::Null => row.serialize_element(&())?,
                Value::Text(text) => row.serialize_element(text)?,
                Value::Integer(number) => row.serialize_element(number)?,
            }
        }
        if table.shape().searched {
            row.serialize_element(&terms::words(&document.terms))?;
        }
        row.end()
    }
}

fn json(rows: &impl Serialize) -> Result<String, StorageError> {
    serde_json::to_string(rows).map_err(|error| StorageError::Rejected(error.to_string()))
}

type Sql = sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn written(sql: &Arc<str>) -> Sql {
    sqlx::query(AssertSqlSafe(sql.clone()))
}

/// A generation that is gone is told as such.
fn of_table(table: &Table) -> impl Fn(sqlx::Error) -> StorageError {
    |error| match error.as_database_error() {
        Some(database) if database.message().starts_with("no such table: ") => table.superseded(),
        _ => error.into(),
    }
}

/// After such an error SQLite may have rolled back by itself, which sqlx does not notice: it would never begin again.
fn settled<T>(mut connection: PoolConnection<sqlx::Sqlite>, done: Result<T, StorageError>) -> Result<T, StorageError> {
    if matches!(&done, Err(error) if error.is_transient()) {
        connection.close_on_drop();
    }
    done
}

/// Writes a batch once its compare-and-set has succeeded.
async fn write(
    connection: &mut SqliteConnection,
    table: &Table,
    documents: &[Document],
    touches: &[Touch],
    counts: &[CountDelta],
) -> Result<(), StorageError> {
    let statements = table.sqlite();
    if !documents.is_empty() {
        let documents = json(&Documents(table, documents))?;
        written(&statements.upsert).bind(documents).execute(&mut *connection).await.map_err(of_table(table))?;
    }
    if table.shape().touches && !touches.is_empty() {
        let touches: Vec<(&str, u64)> = touches.iter().map(|touch| (touch.key.as_str(), touch.position)).collect();
        written(&statements.touch).bind(json(&touches)?).execute(&mut *connection).await.map_err(of_table(table))?;
    }
    if !counts.is_empty() {
        let counts: Vec<(&str, &str, i64)> =
            counts.iter().map(|count| (count.grouping, count.value.as_str(), count.by)).collect();
        let query = sqlx::query(COUNT).bind(json(&counts)?).bind(table.name()).bind(table.version());
        query.bind(table.generation()).execute(connection).await?;
    }
    Ok(())
}

async fn commit(
    connection: &mut SqliteConnection,
    table: &Table,
    holder: Option<(Uuid, Duration)>,
    commit: &Commit<'_>,
) -> Result<bool, StorageError> {
    // Dropped before COMMIT, the transaction rolls back.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let query = sqlx::query(if holder.is_some() { MOVE } else { MOVE_BUILD });
    let query = query.bind(table.name()).bind(table.version()).bind(table.generation());
    let query = query.bind(signed(commit.from)).bind(signed(commit.to));
    let query = match holder {
        Some((me, lease)) => query.bind(me).bind(micros(lease)),
        None => query,
    };
    if query.execute(&mut *transaction).await?.rows_affected() == 0 {
        return Ok(false);
    }
    write(&mut transaction, table, commit.documents, commit.touches, commit.counts).await?;
    transaction.commit().await?;
    Ok(true)
}

impl Views {
    pub(super) async fn load_documents(&self, table: &Table, keys: &[String]) -> Result<Vec<Stored>, StorageError> {
        let query = written(&table.sqlite().load).bind(json(&keys)?);
        let rows = query.fetch_all(&self.readers).await.map_err(of_table(table))?;
        rows.iter().map(stored).collect()
    }

    pub(super) async fn commit_documents(
        &self,
        table: &Table,
        me: Uuid,
        lease: Duration,
        batch: &Commit<'_>,
    ) -> Result<bool, StorageError> {
        let mut connection = self.writer.acquire().await?;
        let done = commit(&mut connection, table, Some((me, lease)), batch).await;
        settled(connection, done)
    }

    pub(super) async fn commit_build(&self, table: &Table, batch: &Commit<'_>) -> Result<bool, StorageError> {
        let mut connection = self.writer.acquire().await?;
        let done = commit(&mut connection, table, None, batch).await;
        settled(connection, done)
    }

    pub(super) async fn query_documents(&self, table: &Table, query: &Query) -> Result<Vec<Found>, StorageError> {
        let Some(selection) = select::<Self>(table, query)? else { return Ok(Vec::new()) };
        let mut statement = written(&selection.sql.into());
        for value in selection.values {
            statement = match value {
                Value::Null => statement.bind(None::<i64>),
                Value::Text(text) => statement.bind(text),
                Value::Integer(number) => statement.bind(number),
            };
        }
        let rows = statement.fetch_all(&self.readers).await.map_err(of_table(table))?;
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
        let query = sqlx::query(COUNTS).bind(table.name()).bind(table.version()).bind(table.generation());
        let rows = query.fetch_all(&self.readers).await?;
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
        let query = written(&table.sqlite().touches).bind(key.to_owned()).bind(signed(after)).bind(narrow(limit));
        let rows = query.fetch_all(&self.readers).await.map_err(of_table(table))?;
        rows.iter().map(|row| Ok(unsigned(row.try_get("position")?))).collect()
    }

    pub(super) async fn all_documents(
        &self,
        table: &Table,
        after_key: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Document>, StorageError> {
        // No key is empty.
        let query = written(&table.sqlite().all).bind(after_key.unwrap_or_default().to_owned());
        let rows = query.bind(narrow(limit.min(MAX_PAGE))).fetch_all(&self.readers).await.map_err(of_table(table))?;
        rows.iter().map(|row| document(table, row)).collect()
    }
}

impl Dialect for Views {
    /// Terms first: without statistics SQLite might look through all documents in order instead.
    fn from(table: &Table, search: bool) -> String {
        let documents = table.documents();
        if search {
            format!("{} f CROSS JOIN {documents} d ON d.id = f.rowid", tables::terms(table))
        } else {
            format!("{documents} d")
        }
    }

    fn found(table: &Table, n: usize) -> String {
        format!("f.{} MATCH ${n}", tables::terms(table))
    }

    fn search(terms: &[String], prefix: Option<&str>) -> String {
        terms::fts5(terms, prefix)
    }
}

fn stored(row: &SqliteRow) -> Result<Stored, StorageError> {
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

fn document(table: &Table, row: &SqliteRow) -> Result<Document, StorageError> {
    let Stored { key, position, body, parked } = stored(row)?;
    let columns = table.columns().iter().map(|c| value(row, &format!("c_{}", c.name), Some(c.kind)));
    let columns = columns.collect::<Result<_, _>>()?;
    let terms = if table.shape().searched { terms::of_words(row.try_get("terms")?) } else { Vec::new() };
    Ok(Document { key, position, body, columns, terms, parked })
}

/// Null when there is no such column to read.
fn value(row: &SqliteRow, name: &str, kind: Option<Kind>) -> Result<Value, StorageError> {
    Ok(match kind {
        None => Value::Null,
        Some(Kind::Text) => row.try_get::<Option<String>, _>(name)?.map_or(Value::Null, Value::Text),
        Some(Kind::Integer) => row.try_get::<Option<i64>, _>(name)?.map_or(Value::Null, Value::Integer),
    })
}
