//! Reactors' positions on PostgreSQL.

use sqlx::Row;

use super::NewWork;
use crate::StorageError;
use crate::database::Postgres;
use crate::events::columns::{signed, unsigned};
use crate::work::postgres::columns;

const REGISTER: &str = "
INSERT INTO reactors (name, position) SELECT $1, coalesce(max(position), 0) FROM events ON CONFLICT DO NOTHING";
const POSITION: &str = "SELECT position FROM reactors WHERE name = $1";
const ADVANCE: &str = "SELECT advance_reactor($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS advanced";
const LIST: &str = "SELECT name, position FROM reactors ORDER BY name";

impl Postgres {
    pub(super) async fn register_reactor(&self, name: &str) -> Result<u64, StorageError> {
        self.execute(self.query(REGISTER).bind(name.to_owned())).await?;
        let row = self.row(self.query(POSITION).bind(name.to_owned())).await?.ok_or(sqlx::Error::RowNotFound)?;
        Ok(unsigned(row.try_get("position")?))
    }

    pub(super) async fn advance_reactor(
        &self,
        name: &str,
        from: u64,
        to: u64,
        work: &[NewWork],
    ) -> Result<bool, StorageError> {
        let query = self.query(ADVANCE).bind(name.to_owned()).bind(signed(from)).bind(signed(to));
        let row = self.row(columns(query, work)).await?.ok_or(sqlx::Error::RowNotFound)?;
        Ok(row.try_get("advanced")?)
    }

    pub(super) async fn reactors(&self) -> Result<Vec<(String, u64)>, StorageError> {
        let rows = self.rows(self.query(LIST)).await?;
        rows.iter().map(|row| Ok((row.try_get("name")?, unsigned(row.try_get("position")?)))).collect()
    }
}
