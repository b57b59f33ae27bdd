//! The tables of views on SQLite: made, filled, indexed, promoted and dropped.

use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqliteConnection};

use super::{of_table, settled, write};
use crate::StorageError;
use crate::database::Views;
use crate::documents::{CountDelta, Document, Kind, Shape, Table, Touch, ViewRow};
use crate::events::columns::signed;

/// Documents whose terms are indexed in one transaction: others want to write meanwhile.
const AT_ONCE: i64 = 2_000;

/// Where the documents of each term are found.
pub(super) fn terms(table: &Table) -> String {
    format!("terms{}", table.documents().trim_start_matches("view"))
}

/// Keys are what documents are loaded and replaced by; so this index is there from the start.
fn made(table: &Table) -> String {
    let kind = |kind| if kind == Kind::Text { "TEXT" } else { "INTEGER" };
    let columns =
        table.columns().iter().map(|c| format!(", c_{} {}", c.name, kind(c.kind))).collect::<Vec<_>>().concat();
    let searched = table.shape().searched;
    let mut sql = vec![format!(
        "CREATE TABLE {} (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE CHECK (key <> ''), position INTEGER NOT NULL,
             body TEXT NOT NULL, parked_at INTEGER, parked_why TEXT{columns}{}) STRICT;",
        table.documents(),
        if searched { ", terms TEXT NOT NULL" } else { "" }
    )];
    if searched {
        sql.push(format!(
            "CREATE VIRTUAL TABLE {} USING fts5(terms, content='', contentless_delete=1, detail=none, tokenize='ascii');",
            terms(table)
        ));
    }
    if table.shape().touches {
        sql.push(format!(
            "CREATE TABLE {} (key TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (key, position))
             STRICT, WITHOUT ROWID;",
            table.touches()
        ));
    }
    sql.concat()
}

fn indexed(table: &Table) -> String {
    let documents = table.documents();
    let mut sql = vec![format!("CREATE INDEX {documents}_parked ON {documents} (key) WHERE parked_at IS NOT NULL;")];
    for (n, index) in table.shape().indexes.iter().enumerate() {
        let columns = index.iter().map(|name| format!("c_{name}, ")).collect::<Vec<_>>().concat();
        sql.push(format!("CREATE INDEX {documents}_by_{n} ON {documents} ({columns}key);"));
    }
    if table.shape().searched {
        let terms = terms(table);
        sql.push(format!(
            "CREATE TRIGGER {terms}_added AFTER INSERT ON {documents} WHEN new.terms <> '' BEGIN
               INSERT INTO {terms} (rowid, terms) VALUES (new.id, new.terms);
             END;
             CREATE TRIGGER {terms}_changed AFTER UPDATE OF terms ON {documents} WHEN new.terms <> old.terms BEGIN
               DELETE FROM {terms} WHERE rowid = old.id;
               INSERT INTO {terms} (rowid, terms) SELECT new.id, new.terms WHERE new.terms <> '';
             END;"
        ));
    }
    sql.concat()
}

/// Runs statements that are made of checked names.
async fn run(connection: &mut SqliteConnection, sql: String) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(drop)
}

const BUILD: &str = "
SELECT 1 FROM view_builds WHERE name = $1 AND version = $2 AND generation = $3 AND NOT finished";

/// Refuses to go on with a build that is finished, or that another has taken the place of.
async fn must_be_building(connection: &mut SqliteConnection, table: &Table) -> Result<(), StorageError> {
    let query = sqlx::query(BUILD).bind(table.name()).bind(table.version()).bind(table.generation());
    query.fetch_optional(connection).await?.map(drop).ok_or_else(|| table.superseded())
}

async fn open(connection: &mut SqliteConnection, shape: &Shape, epoch: &str) -> Result<(), StorageError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mine = sqlx::query(
        "INSERT INTO views (name, version, generation, last_generation, shape, position, epoch)
         VALUES ($1, $2, 1, 1, $3, 0, $4) ON CONFLICT DO NOTHING",
    );
    let mine = mine.bind(shape.name).bind(shape.version).bind(shape.described()).bind(epoch.to_owned());
    if mine.execute(&mut *transaction).await?.rows_affected() == 1 {
        let table = Table::new(shape, 1);
        run(&mut transaction, made(&table) + &indexed(&table)).await?;
    }
    Ok(transaction.commit().await?)
}

async fn begin(connection: &mut SqliteConnection, shape: &Shape, epoch: &str) -> Result<u32, StorageError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query(
        "UPDATE views SET last_generation = last_generation + 1 WHERE name = $1 AND version = $2
         RETURNING last_generation",
    );
    let row = row.bind(shape.name).bind(shape.version).fetch_one(&mut *transaction).await?;
    let generation: u32 = row.try_get("last_generation")?;
    let earlier = sqlx::query("DELETE FROM view_builds WHERE name = $1 AND version = $2");
    earlier.bind(shape.name).bind(shape.version).execute(&mut *transaction).await?;
    let build =
        sqlx::query("INSERT INTO view_builds (name, version, generation, position, epoch) VALUES ($1, $2, $3, 0, $4)");
    let build = build.bind(shape.name).bind(shape.version).bind(generation).bind(epoch.to_owned());
    build.execute(&mut *transaction).await?;
    run(&mut transaction, made(&Table::new(shape, generation))).await?;
    transaction.commit().await?;
    Ok(generation)
}

async fn fill(
    connection: &mut SqliteConnection,
    table: &Table,
    documents: &[Document],
    touches: &[Touch],
    counts: &[CountDelta],
) -> Result<(), StorageError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    must_be_building(&mut transaction, table).await?;
    write(&mut transaction, table, documents, touches, counts).await?;
    Ok(transaction.commit().await?)
}

/// The next documents after the row `after`; the last of them, None when there are no more.
async fn index_terms(
    connection: &mut SqliteConnection,
    table: &Table,
    after: i64,
) -> Result<Option<i64>, StorageError> {
    let (documents, terms) = (table.documents(), terms(table));
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    must_be_building(&mut transaction, table).await?;
    if after == 0 {
        // An earlier attempt may have been cut short.
        run(&mut transaction, format!("INSERT INTO {terms} ({terms}) VALUES ('delete-all')")).await?;
    }
    let last = format!("SELECT max(id) FROM (SELECT id FROM {documents} WHERE id > $1 ORDER BY id LIMIT $2)");
    let last = sqlx::query(AssertSqlSafe(last)).bind(after).bind(AT_ONCE);
    let last: Option<i64> = last.fetch_one(&mut *transaction).await.map_err(of_table(table))?.try_get(0)?;
    let insert = format!(
        "INSERT INTO {terms} (rowid, terms) SELECT id, terms FROM {documents} WHERE id > $1 AND id <= $2 AND terms <> ''"
    );
    sqlx::query(AssertSqlSafe(insert)).bind(after).bind(last).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(last)
}

async fn finish(connection: &mut SqliteConnection, table: &Table, position: u64) -> Result<(), StorageError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    must_be_building(&mut transaction, table).await?;
    run(&mut transaction, indexed(table)).await.map_err(of_table(table))?;
    let build = sqlx::query(
        "UPDATE view_builds SET position = $4, finished = 1 WHERE name = $1 AND version = $2 AND generation = $3",
    );
    let build = build.bind(table.name()).bind(table.version()).bind(table.generation()).bind(signed(position));
    build.execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

const PROMOTE: &str = "
UPDATE views SET generation = b.generation, position = b.position, epoch = b.epoch, halted_kind = NULL, halted_at = NULL,
       halted_why = NULL, updated_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER)
  FROM view_builds b
 WHERE views.name = $1 AND views.version = $2 AND b.name = views.name AND b.version = views.version
   AND b.generation = $3 AND b.finished AND b.position = $4
   AND (views.position <= b.position OR views.epoch <> b.epoch)";
const FORGET_BUILD: &str = "DELETE FROM view_builds WHERE name = $1 AND version = $2 AND generation = $3";
const FORGET_COUNTS: &str = "
DELETE FROM view_counts AS c WHERE c.view = $1 AND c.version = $2 AND c.generation NOT IN (
  SELECT generation FROM views WHERE name = $1 AND version = $2
  UNION ALL SELECT generation FROM view_builds WHERE name = $1 AND version = $2)";

async fn promote(connection: &mut SqliteConnection, table: &Table, position: u64) -> Result<bool, StorageError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let promoted = sqlx::query(PROMOTE).bind(table.name()).bind(table.version()).bind(table.generation());
    if promoted.bind(signed(position)).execute(&mut *transaction).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let done = sqlx::query(FORGET_BUILD).bind(table.name()).bind(table.version()).bind(table.generation());
    done.execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

/// What is neither live nor under construction will never be again: only a view that is dropped counts anew.
async fn drop_old(connection: &mut SqliteConnection, name: &str, version: u32) -> Result<usize, StorageError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let kept = "SELECT generation FROM views WHERE name = $1 AND version = $2
                UNION ALL SELECT generation FROM view_builds WHERE name = $1 AND version = $2";
    let kept = sqlx::query(kept).bind(name.to_owned()).bind(version).fetch_all(&mut *transaction).await?;
    let kept = kept.iter().map(|row| row.try_get::<u32, _>(0)).collect::<Result<Vec<_>, _>>()?;
    let tables = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    let tables = tables.fetch_all(&mut *transaction).await?;
    let mut dropped = 0;
    for row in &tables {
        let found: &str = row.try_get("name")?;
        let generation = ["view", "touches", "terms"].iter().find_map(|what| {
            found.strip_prefix(&format!("{what}_{name}_v{version}_g")).and_then(|generation| generation.parse().ok())
        });
        if generation.is_some_and(|generation: u32| !kept.contains(&generation)) {
            run(&mut transaction, format!("DROP TABLE {found}")).await?;
            dropped += 1;
        }
    }
    sqlx::query(FORGET_COUNTS).bind(name.to_owned()).bind(version).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(dropped)
}

async fn forget(connection: &mut SqliteConnection, name: &str, version: u32) -> Result<(), StorageError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for sql in [
        "DELETE FROM views WHERE name = $1 AND version = $2",
        "DELETE FROM view_builds WHERE name = $1 AND version = $2",
        "DELETE FROM view_skips WHERE name = $1 AND version = $2",
    ] {
        sqlx::query(sql).bind(name.to_owned()).bind(version).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

impl Views {
    pub(in crate::documents) async fn open_view(&self, shape: &Shape, epoch: &str) -> Result<ViewRow, StorageError> {
        if let Some(row) = self.known_view(shape).await? {
            return Ok(row);
        }
        let mut connection = self.writer.acquire().await?;
        let done = open(&mut connection, shape, epoch).await;
        settled(connection, done)?;
        self.known_view(shape).await?.ok_or_else(|| Table::new(shape, 1).superseded())
    }

    async fn known_view(&self, shape: &Shape) -> Result<Option<ViewRow>, StorageError> {
        let query = sqlx::query("SELECT shape FROM views WHERE name = $1 AND version = $2");
        let row = query.bind(shape.name).bind(shape.version).fetch_optional(&self.readers).await?;
        let Some(row) = row else { return Ok(None) };
        let found: &str = row.try_get("shape")?;
        if found != shape.described() {
            return Err(shape.is_not(found));
        }
        Ok(self.view_rows(Some((shape.name, shape.version))).await?.pop())
    }

    pub(in crate::documents) async fn begin_build(&self, shape: &Shape, epoch: &str) -> Result<u32, StorageError> {
        let mut connection = self.writer.acquire().await?;
        let done = begin(&mut connection, shape, epoch).await;
        settled(connection, done)
    }

    pub(in crate::documents) async fn fill(
        &self,
        table: &Table,
        documents: &[Document],
        touches: &[Touch],
        counts: &[CountDelta],
    ) -> Result<(), StorageError> {
        let mut connection = self.writer.acquire().await?;
        let done = fill(&mut connection, table, documents, touches, counts).await;
        settled(connection, done)
    }

    pub(in crate::documents) async fn finish_build(&self, table: &Table, position: u64) -> Result<(), StorageError> {
        let mut after = table.shape().searched.then_some(0);
        while let Some(row) = after {
            let mut connection = self.writer.acquire().await?;
            let done = index_terms(&mut connection, table, row).await;
            after = settled(connection, done)?;
        }
        let mut connection = self.writer.acquire().await?;
        let done = finish(&mut connection, table, position).await;
        settled(connection, done)
    }

    pub(in crate::documents) async fn promote_build(&self, table: &Table, position: u64) -> Result<bool, StorageError> {
        let mut connection = self.writer.acquire().await?;
        let done = promote(&mut connection, table, position).await;
        settled(connection, done)
    }

    pub(in crate::documents) async fn abandon_build(&self, table: &Table) -> Result<(), StorageError> {
        let query = sqlx::query(FORGET_BUILD).bind(table.name()).bind(table.version()).bind(table.generation());
        query.execute(&self.writer).await?;
        self.drop_old_generations(table.name(), table.version()).await?;
        Ok(())
    }

    pub(in crate::documents) async fn drop_old_generations(
        &self,
        name: &str,
        version: u32,
    ) -> Result<usize, StorageError> {
        let mut connection = self.writer.acquire().await?;
        let done = drop_old(&mut connection, name, version).await;
        settled(connection, done)
    }

    pub(in crate::documents) async fn drop_view(&self, name: &str, version: u32) -> Result<(), StorageError> {
        let mut connection = self.writer.acquire().await?;
        let done = forget(&mut connection, name, version).await;
        settled(connection, done)?;
        self.drop_old_generations(name, version).await?;
        Ok(())
    }
}
