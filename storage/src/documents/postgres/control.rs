//! Where views stand, on PostgreSQL.

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::of_table;
use super::tables::SCHEMA;
use crate::StorageError;
use crate::database::Postgres;
use crate::documents::{BuildRow, Halt, HaltKind, Parked, ParkedDocuments, Table, ViewRow};
use crate::events::columns::{narrow, signed, unsigned};

const ROWS: &str = "
SELECT name, version, generation, position, epoch, halted_kind, halted_at, halted_why, paused, held_by,
       coalesce((extract(epoch FROM held_until - clock_timestamp()) * 1000000)::bigint, 0) AS held_for
  FROM views WHERE ($1::text IS NULL OR name = $1) AND ($2::int IS NULL OR version = $2) ORDER BY name, version";
const BUILDS: &str = "
SELECT name, version, generation, position, epoch, finished FROM view_builds ORDER BY name, version, generation";
const HALT: &str = "
UPDATE views SET halted_kind = $5, halted_at = $6, halted_why = $7, updated_at = clock_timestamp()
 WHERE name = $1 AND version = $2 AND generation = $3 AND position = $4 AND halted_kind IS NULL";
const PAUSE: &str = "UPDATE views SET paused = true, updated_at = clock_timestamp() WHERE name = $1 AND version = $2";
const RESUME: &str = "
UPDATE views SET paused = false, halted_kind = NULL, halted_at = NULL, halted_why = NULL,
       updated_at = clock_timestamp()
 WHERE name = $1 AND version = $2";
const SKIP: &str =
    "INSERT INTO view_skips (name, version, position, why) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const SKIPS: &str = "SELECT position FROM view_skips WHERE name = $1 AND version = $2 ORDER BY position";
const SET_EPOCH: &str = "UPDATE views SET epoch = $3, updated_at = clock_timestamp() WHERE name = $1 AND version = $2";
const EPOCHS: &str = "SELECT epoch, after_position FROM log_epochs ORDER BY ord";

impl Postgres {
    pub(in crate::documents) async fn view_rows(&self, one: Option<(&str, u32)>) -> Result<Vec<ViewRow>, StorageError> {
        let query = self.query(ROWS).bind(one.map(|(name, _)| name.to_owned()));
        let rows = self.rows(query.bind(one.map(|(_, version)| version.cast_signed()))).await?;
        rows.iter().map(view_row).collect()
    }

    pub(in crate::documents) async fn view_builds(&self) -> Result<Vec<BuildRow>, StorageError> {
        let build = |row: &PgRow| {
            Ok(BuildRow {
                name: row.try_get("name")?,
                version: row.try_get::<i32, _>("version")?.cast_unsigned(),
                generation: row.try_get::<i32, _>("generation")?.cast_unsigned(),
                position: unsigned(row.try_get("position")?),
                epoch: row.try_get("epoch")?,
                finished: row.try_get("finished")?,
            })
        };
        self.rows(self.query(BUILDS)).await?.iter().map(build).collect()
    }

    pub(in crate::documents) async fn halt_view(
        &self,
        name: &str,
        version: u32,
        generation: u32,
        from: u64,
        halt: &Halt,
    ) -> Result<bool, StorageError> {
        let query = self.query(HALT).bind(name.to_owned()).bind(version.cast_signed()).bind(generation.cast_signed());
        let query = query.bind(signed(from)).bind(halt.kind.word()).bind(signed(halt.position));
        Ok(self.execute(query.bind(halt.why.clone())).await? == 1)
    }

    pub(in crate::documents) async fn pause_view(&self, name: &str, version: u32) -> Result<bool, StorageError> {
        Ok(self.execute(self.query(PAUSE).bind(name.to_owned()).bind(version.cast_signed())).await? == 1)
    }

    pub(in crate::documents) async fn resume_view(&self, name: &str, version: u32) -> Result<bool, StorageError> {
        Ok(self.execute(self.query(RESUME).bind(name.to_owned()).bind(version.cast_signed())).await? == 1)
    }

    pub(in crate::documents) async fn skip_event(
        &self,
        name: &str,
        version: u32,
        position: u64,
        why: &str,
    ) -> Result<(), StorageError> {
        let query = self.query(SKIP).bind(name.to_owned()).bind(version.cast_signed());
        self.execute(query.bind(signed(position)).bind(why.to_owned())).await?;
        Ok(())
    }

    pub(in crate::documents) async fn view_skips(&self, name: &str, version: u32) -> Result<Vec<u64>, StorageError> {
        let rows = self.rows(self.query(SKIPS).bind(name.to_owned()).bind(version.cast_signed())).await?;
        rows.iter().map(|row| Ok(unsigned(row.try_get("position")?))).collect()
    }

    pub(in crate::documents) async fn parked_documents(
        &self,
        table: &Table,
        limit: usize,
    ) -> Result<ParkedDocuments, StorageError> {
        let sql = format!(
            "SELECT key, parked_at, parked_why, count(*) OVER () AS n FROM {SCHEMA}.{}
              WHERE parked_at IS NOT NULL ORDER BY key LIMIT $1",
            table.documents()
        );
        let query = self.written(&sql.into()).bind(i64::from(narrow(limit.max(1))));
        let rows = self.rows(query).await.map_err(of_table(table))?;
        let count = rows.first().map_or(Ok(0), |row| row.try_get("n"))?;
        let one = |row: &PgRow| {
            let parked = Parked { at: unsigned(row.try_get("parked_at")?), why: row.try_get("parked_why")? };
            Ok((row.try_get("key")?, parked))
        };
        let first = rows.iter().take(limit).map(one).collect::<Result<_, StorageError>>()?;
        Ok(ParkedDocuments { count: unsigned(count), first })
    }

    pub(in crate::documents) async fn set_view_epoch(
        &self,
        name: &str,
        version: u32,
        epoch: &str,
    ) -> Result<bool, StorageError> {
        let query = self.query(SET_EPOCH).bind(name.to_owned()).bind(version.cast_signed());
        Ok(self.execute(query.bind(epoch.to_owned())).await? == 1)
    }

    pub(in crate::documents) async fn epochs(&self) -> Result<Vec<(String, u64)>, StorageError> {
        let rows = self.rows(self.query(EPOCHS)).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, unsigned(row.try_get(1)?)))).collect()
    }
}

fn view_row(row: &PgRow) -> Result<ViewRow, StorageError> {
    let halt = match row.try_get::<Option<&str>, _>("halted_kind")? {
        Some(kind) => Some(Halt {
            kind: HaltKind::from_word(kind)?,
            position: unsigned(row.try_get("halted_at")?),
            why: row.try_get("halted_why")?,
        }),
        None => None,
    };
    Ok(ViewRow {
        name: row.try_get("name")?,
        version: row.try_get::<i32, _>("version")?.cast_unsigned(),
        generation: row.try_get::<i32, _>("generation")?.cast_unsigned(),
        position: unsigned(row.try_get("position")?),
        epoch: row.try_get("epoch")?,
        halt,
        paused: row.try_get("paused")?,
        held_by: row.try_get("held_by")?,
        held_for_us: row.try_get("held_for")?,
    })
}
