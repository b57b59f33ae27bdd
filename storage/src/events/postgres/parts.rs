//! Parts of the log on PostgreSQL, of which never more is held in memory than is said here: at most `limit` events, and
//! little more than [`PART_BYTES`] of them.
//!
//! Small payloads come with their events. Of the others first comes only what they weigh, and then those that fit: so the
//! server adds nothing up, and nothing is unpacked in vain.

use std::collections::HashMap;

use sqlx::Row;

use super::recorded;
use crate::StorageError;
use crate::database::{Postgres, Statement};
use crate::events::columns::{narrow, signed, unsigned};
use crate::events::{PART_BYTES, Recorded, StreamPlace};

/// The payload of an event if it is small; otherwise what it weighs: its size on the disk, eightfold if it is compressed
/// there. One byte of pglz may stand for some ninety, so at worst a part is ten times as large as it should be.
macro_rules! weighed {
    ($from:literal) => {
        recorded!(
            "CASE WHEN pg_column_size(e.payload) <= 2048 AND pg_column_compression(e.payload) IS NULL THEN e.payload END,
             CASE WHEN pg_column_compression(e.payload) IS NOT NULL THEN pg_column_size(e.payload)::bigint * 8
                  WHEN pg_column_size(e.payload) > 2048 THEN pg_column_size(e.payload)::bigint END ",
            $from
        )
    };
}

/// The column of [`weighed`] behind those of an event.
const WEIGHT: usize = 13;

impl Postgres {
    pub(crate) async fn read_part(&self, position: u64, limit: usize) -> Result<Vec<Recorded>, StorageError> {
        const READ: &str = weighed!("FROM events e WHERE e.position > $1 ORDER BY e.position LIMIT $2");
        self.part(self.query(READ).bind(signed(position)).bind(i64::from(narrow(limit)))).await
    }

    pub(crate) async fn read_streams(
        &self,
        aggregate_type: &str,
        after: &StreamPlace,
        up_to: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StorageError> {
        const READ: &str = weighed!(
            "FROM events e WHERE e.aggregate_type = $1 AND (e.aggregate_id, e.sequence) > ($2, $3) AND e.position <= $4
             ORDER BY e.aggregate_id, e.sequence LIMIT $5"
        );
        let query = self.query(READ).bind(aggregate_type.to_owned()).bind(after.aggregate_id.clone());
        let query = query.bind(signed(after.sequence)).bind(signed(up_to)).bind(i64::from(narrow(limit)));
        self.part(query).await
    }

    async fn part(&self, query: Statement) -> Result<Vec<Recorded>, StorageError> {
        let rows = self.rows(query).await?;
        let (mut events, mut large, mut weight) = (Vec::with_capacity(rows.len()), Vec::new(), 0);
        for row in &rows {
            if weight >= PART_BYTES {
                break;
            }
            let event = recorded(row)?;
            match row.try_get::<Option<i64>, _>(WEIGHT)? {
                Some(its) => {
                    large.push(signed(event.position));
                    weight += its;
                }
                None => weight += i64::try_from(event.payload.len()).unwrap_or(i64::MAX),
            }
            events.push(event);
        }
        drop(rows);
        if !large.is_empty() {
            self.complete(&mut events, large).await?;
        }
        Ok(events)
    }

    /// Adds the payloads of the events at `large`.
    async fn complete(&self, events: &mut [Recorded], large: Vec<i64>) -> Result<(), StorageError> {
        const PAYLOADS: &str = "SELECT e.position, e.payload FROM events e WHERE e.position = ANY ($1)";
        let mut payloads = HashMap::with_capacity(large.len());
        let wanted = large.len();
        for row in self.rows(self.query(PAYLOADS).bind(large)).await? {
            payloads.insert(unsigned(row.try_get(0)?), row.try_get_unchecked::<String, _>(1)?);
        }
        if payloads.len() != wanted {
            let found = payloads.len();
            return Err(StorageError::Incompatible(format!("{found} payloads of {wanted} events")));
        }
        for event in events {
            if let Some(payload) = payloads.remove(&event.position) {
                event.payload = payload;
            }
        }
        Ok(())
    }
}
