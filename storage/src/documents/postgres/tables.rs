//! The tables of views on PostgreSQL: made, indexed, promoted and dropped by the application itself, in a schema that
//! is its own.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join;
use sqlx::postgres::{PgConnection, PgTransaction};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use tokio::time::timeout;

use super::of_table;
use crate::StorageError;
use crate::database::Postgres;
use crate::documents::{Shape, Table, ViewRow};
use crate::events::columns::signed;

pub(super) const SCHEMA: &str = "pagefree_views";

/// Building the indexes of a very large view takes a while, but not for ever.
const FINISHED_WITHIN: Duration = Duration::from_hours(1);

/// Documents are derived, so that nothing here needs to be flushed at once; and whoever reads a table to be dropped must
/// not keep all others waiting behind the one who drops it.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off;
    SET LOCAL lock_timeout = '2s'; SET LOCAL idle_in_transaction_session_timeout = '1min'";

/// Only who folds in the order of the log replaces documents while a build is filled, and needs the key's index for it.
fn keyed_from_the_start(table: &Table) -> bool {
    table.shape().touches
}

fn made(table: &Table) -> String {
    let columns =
        table.columns().iter().map(|c| format!(", c_{} {}", c.name, typed(c.kind.sql()))).collect::<Vec<_>>().concat();
    let terms = if table.shape().searched { ", terms tsvector NOT NULL" } else { "" };
    let mut sql = vec![format!(
        "CREATE TABLE {SCHEMA}.{} (key text COLLATE \"C\" NOT NULL CHECK (key <> ''), position bigint NOT NULL,
             body text NOT NULL, parked_at bigint, parked_why text{columns}{terms}) WITH (fillfactor = 80);",
        table.documents()
    )];
    if table.shape().touches {
        sql.push(format!(
            "CREATE TABLE {SCHEMA}.{} (key text COLLATE \"C\" NOT NULL, position bigint NOT NULL);",
            table.touches()
        ));
    }
    // Nothing is asked about bodies, and they are long.
    sql.push(format!("ALTER TABLE {SCHEMA}.{} ALTER body SET STATISTICS 0;", table.documents()));
    if keyed_from_the_start(table) {
        sql.push(keyed(table));
    }
    sql.concat()
}

/// Keys are what documents are loaded and replaced by.
fn keyed(table: &Table) -> String {
    format!("CREATE UNIQUE INDEX key_{} ON {SCHEMA}.{} (key);", of(table), table.documents())
}

/// What the names of a generation's indexes end with. They have names of our own: two that PostgreSQL names at the same
/// time may get the same one.
fn of(table: &Table) -> &str {
    table.documents().strip_prefix("view_").unwrap_or(table.documents())
}

fn typed(kind: &str) -> String {
    if kind == "text" { "text COLLATE \"C\"".to_owned() } else { kind.to_owned() }
}

/// The indexes that are made when all documents are there.
fn indexes(table: &Table) -> Vec<String> {
    let (shape, documents, touches, of) = (table.shape(), table.documents(), table.touches(), of(table));
    let mut parts = vec![format!("{documents} (key) WHERE parked_at IS NOT NULL")];
    if shape.singly {
        parts.push(format!("{documents} USING hash (key)"));
    }
    for index in shape.indexes {
        let columns = index.iter().map(|name| format!("c_{name}, ")).collect::<Vec<_>>().concat();
        parts.push(format!("{documents} ({columns}key)"));
    }
    if shape.searched {
        // What is pending is read by every search: so little of it.
        parts.push(format!("{documents} USING gin (terms) WITH (gin_pending_list_limit = 256)"));
    }
    let create = |(n, part): (usize, String)| format!("CREATE INDEX i{n}_{of} ON {SCHEMA}.{part};");
    let mut sql: Vec<String> = parts.into_iter().enumerate().map(create).collect();
    if !keyed_from_the_start(table) {
        sql.push(keyed(table));
    }
    if shape.touches {
        sql.push(format!("CREATE UNIQUE INDEX touch_{of} ON {SCHEMA}.{touches} (key, position);"));
    }
    sql
}

/// Runs statements that are made of checked names.
pub(super) async fn run(connection: &mut PgConnection, sql: String) -> Result<u64, sqlx::Error> {
    Ok(connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?.rows_affected())
}

/// Makes indexes as long as any are left.
async fn make(connection: &mut PgConnection, left: &Mutex<Vec<String>>) -> Result<(), sqlx::Error> {
    // Helpers of the server's own take longer to start than a small index takes; and two connections share the work.
    const SETTINGS: &str = "SET LOCAL maintenance_work_mem = '64MB'; SET LOCAL max_parallel_maintenance_workers = 0; ";
    loop {
        let Some(index) = left.lock().unwrap_or_else(PoisonError::into_inner).pop() else { return Ok(()) };
        let mut transaction = connection.begin_with(BEGIN).await?;
        run(&mut transaction, format!("{SETTINGS}{index}")).await?;
        transaction.commit().await?;
    }
}

impl Postgres {
    pub(in crate::documents) async fn changing_views(&self) -> Result<PgTransaction<'static>, StorageError> {
        Ok(self.pool.begin_with(BEGIN).await?)
    }

    pub(in crate::documents) async fn open_view(&self, shape: &Shape, epoch: &str) -> Result<ViewRow, StorageError> {
        if let Some(row) = self.known_view(shape).await? {
            return Ok(row);
        }
        let mut transaction = self.changing_views().await?;
        // Waits for another node that is doing the same.
        let mine = sqlx::query(
            "INSERT INTO views (name, version, generation, last_generation, shape, position, epoch)
             VALUES ($1, $2, 1, 1, $3, 0, $4) ON CONFLICT DO NOTHING",
        )
        .persistent(false)
        .bind(shape.name)
        .bind(shape.version.cast_signed())
        .bind(shape.described())
        .bind(epoch)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if mine == 1 {
            let table = Table::new(shape, 1);
            run(&mut transaction, made(&table) + &indexes(&table).concat()).await?;
        }
        transaction.commit().await?;
        self.known_view(shape).await?.ok_or_else(|| Table::new(shape, 1).superseded())
    }

    async fn known_view(&self, shape: &Shape) -> Result<Option<ViewRow>, StorageError> {
        const SHAPE: &str = "SELECT shape FROM views WHERE name = $1 AND version = $2";
        let query = self.query(SHAPE).bind(shape.name).bind(shape.version.cast_signed());
        let Some(row) = self.row(query).await? else { return Ok(None) };
        let found: &str = row.try_get("shape")?;
        if found != shape.described() {
            return Err(shape.is_not(found));
        }
        Ok(self.view_rows(Some((shape.name, shape.version))).await?.pop())
    }

    pub(in crate::documents) async fn begin_build(&self, shape: &Shape, epoch: &str) -> Result<u32, StorageError> {
        let (name, version) = (shape.name, shape.version.cast_signed());
        let mut transaction = self.changing_views().await?;
        let row = sqlx::query(
            "UPDATE views SET last_generation = last_generation + 1 WHERE name = $1 AND version = $2
             RETURNING last_generation",
        );
        let row = row.persistent(false).bind(name).bind(version).fetch_one(&mut *transaction).await?;
        let generation: i32 = row.try_get("last_generation")?;
        let earlier = sqlx::query("DELETE FROM view_builds WHERE name = $1 AND version = $2").persistent(false);
        earlier.bind(name).bind(version).execute(&mut *transaction).await?;
        let build = sqlx::query(
            "INSERT INTO view_builds (name, version, generation, position, epoch) VALUES ($1, $2, $3, 0, $4)",
        );
        let build = build.persistent(false).bind(name).bind(version).bind(generation).bind(epoch);
        build.execute(&mut *transaction).await?;
        let generation = generation.cast_unsigned();
        run(&mut transaction, made(&Table::new(shape, generation))).await?;
        transaction.commit().await?;
        Ok(generation)
    }

    pub(in crate::documents) async fn finish_build(&self, table: &Table, position: u64) -> Result<(), StorageError> {
        let finished = async {
            self.index(table).await?;
            let mut transaction = self.changing_views().await?;
            let build = sqlx::query(
                "UPDATE view_builds SET position = $4, finished = true
                  WHERE name = $1 AND version = $2 AND generation = $3 AND NOT finished",
            );
            let build = build.persistent(false).bind(table.name()).bind(table.version().cast_signed());
            let build = build.bind(table.generation().cast_signed()).bind(signed(position));
            if build.execute(&mut *transaction).await?.rows_affected() == 0 {
                return Err(table.superseded());
            }
            let analyze = format!("ANALYZE {SCHEMA}.{}", table.documents());
            run(&mut transaction, analyze).await.map_err(of_table(table))?;
            Ok(transaction.commit().await?)
        };
        match timeout(FINISHED_WITHIN, finished).await {
            Ok(finished) => finished,
            Err(_) => Err(StorageError::Unavailable(format!("the indexes of the view {} took too long", table.name()))),
        }
    }

    /// Makes the indexes of a build, on two connections if there is one to spare: on one, a core would do all the sorting.
    async fn index(&self, table: &Table) -> Result<(), StorageError> {
        const BUILD: &str =
            "SELECT FROM view_builds WHERE name = $1 AND version = $2 AND generation = $3 AND NOT finished";
        let build = self.query(BUILD).bind(table.name()).bind(table.version().cast_signed());
        if self.row(build.bind(table.generation().cast_signed())).await?.is_none() {
            return Err(table.superseded());
        }
        let left = Mutex::new(indexes(table));
        let (mut first, second) = (self.pool.acquire().await?, self.pool.try_acquire());
        let second = async {
            match second {
                Some(mut connection) => make(&mut connection, &left).await,
                None => Ok(()),
            }
        };
        let (first, second) = join(make(&mut first, &left), second).await;
        first.and(second).map_err(of_table(table))
    }

    pub(in crate::documents) async fn promote_build(&self, table: &Table, position: u64) -> Result<bool, StorageError> {
        // The view before the build, as everybody locks them.
        const PROMOTE: &str = "
            WITH locked AS (SELECT FROM views WHERE name = $1 AND version = $2 FOR UPDATE),
            promoted AS (
              UPDATE views v SET generation = b.generation, position = b.position, epoch = b.epoch, halted_kind = NULL,
                     halted_at = NULL, halted_why = NULL, updated_at = clock_timestamp()
                FROM (SELECT * FROM view_builds
                       WHERE name = $1 AND version = $2 AND generation = $3 AND position = $4 AND finished
                         AND (SELECT count(*) FROM locked) = 1 FOR UPDATE) b
               WHERE v.name = b.name AND v.version = b.version AND (v.position <= b.position OR v.epoch <> b.epoch)
              RETURNING v.generation)
            DELETE FROM view_builds b USING promoted p
             WHERE b.name = $1 AND b.version = $2 AND b.generation = p.generation";
        let query = self.query(PROMOTE).bind(table.name()).bind(table.version().cast_signed());
        let query = query.bind(table.generation().cast_signed()).bind(signed(position));
        Ok(self.execute(query).await? == 1)
    }

    pub(in crate::documents) async fn abandon_build(&self, table: &Table) -> Result<(), StorageError> {
        const ABANDON: &str = "DELETE FROM view_builds WHERE name = $1 AND version = $2 AND generation = $3";
        let query = self.query(ABANDON).bind(table.name()).bind(table.version().cast_signed());
        self.execute(query.bind(table.generation().cast_signed())).await?;
        self.drop_old_generations(table.name(), table.version()).await?;
        Ok(())
    }

    /// What is neither live nor under construction will never be again: only a view that is dropped counts anew.
    pub(in crate::documents) async fn drop_old_generations(
        &self,
        name: &str,
        version: u32,
    ) -> Result<usize, StorageError> {
        const OLD: &str = "
            WITH kept AS (
              SELECT generation FROM views WHERE name = $1 AND version = $2
              UNION ALL SELECT generation FROM view_builds WHERE name = $1 AND version = $2)
            SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
             WHERE s.nspname = 'pagefree_views' AND c.relkind = 'r'
               AND c.relname ~ ('^(view|touches)_' || $1 || '_v' || $2 || '_g[0-9]+$')
               AND NOT EXISTS (SELECT FROM kept k WHERE c.relname LIKE '%\\_g' || k.generation)";
        const COUNTS: &str = "
            DELETE FROM view_counts c WHERE c.view = $1 AND c.version = $2
               AND NOT EXISTS (SELECT FROM views v WHERE v.name = $1 AND v.version = $2
                                  AND v.generation = c.generation)
               AND NOT EXISTS (SELECT FROM view_builds b WHERE b.name = $1 AND b.version = $2
                                  AND b.generation = c.generation)";
        let of = |sql| self.query(sql).bind(name.to_owned()).bind(version.cast_signed());
        let mut dropped = 0;
        for row in self.rows(of(OLD)).await? {
            let old: &str = row.try_get("name")?;
            let mut transaction = self.changing_views().await?;
            run(&mut transaction, format!("DROP TABLE IF EXISTS {SCHEMA}.{old}")).await?;
            transaction.commit().await?;
            dropped += 1;
        }
        self.execute(of(COUNTS)).await?;
        Ok(dropped)
    }

    pub(in crate::documents) async fn drop_view(&self, name: &str, version: u32) -> Result<(), StorageError> {
        let mut transaction = self.changing_views().await?;
        for sql in [
            "DELETE FROM views WHERE name = $1 AND version = $2",
            "DELETE FROM view_builds WHERE name = $1 AND version = $2",
            "DELETE FROM view_skips WHERE name = $1 AND version = $2",
        ] {
            let query = sqlx::query(sql).persistent(false).bind(name).bind(version.cast_signed());
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        self.drop_old_generations(name, version).await?;
        Ok(())
    }
}
