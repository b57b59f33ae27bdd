//! The floor: the same rows into the same table, with no lock and no check. Not a log: what it writes could collide,
//! skip and be reordered. Only one process may use it.

use std::sync::atomic::{AtomicI64, Ordering};

use commands::ids;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::postgres::{PgPool, PgPoolOptions};
use storage::{
    Append, Config, EventLog, NewEvent, Receipt, Recorded, StorageError, Store, StreamId, StreamWrite, Verdict, Wanted,
};

const INSERT: &str = "
INSERT INTO events
SELECT e.position, e.type, e.id, e.sequence, e.event_type, e.version, e.payload::json, e.metadata::json, e.event_id,
       e.command_id, e.ord, e.salt, clock_timestamp()
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::uuid[], $10::uuid[], $11::int[], $12::bytea[])
       AS e(position, type, id, sequence, event_type, version, payload, metadata, event_id, command_id, ord, salt)";

const INSERT_ONE: &str = "
INSERT INTO events VALUES ($1, $2, $3, $4, $5, $6, $7::json, $8::json, $9, $10, $11, $12, clock_timestamp())";

pub struct BareInsert {
    pool: PgPool,
    next: AtomicI64,
}

impl BareInsert {
    /// In a database of its own with our tables.
    pub async fn open(url: &str) -> Self {
        drop(Store::open(&Config::new(url)).await.expect("our tables"));
        let options = PgPoolOptions::new().max_connections(4).test_before_acquire(false);
        let pool = options.connect(url).await.expect("a database");
        Self { pool, next: AtomicI64::new(1) }
    }

    /// One row in one statement: what a lone caller could at best wait for.
    pub async fn insert_one(&self, stream: &str, sequence: i64, event: &NewEvent, metadata: &str) {
        sqlx::query(INSERT_ONE)
            .bind(self.next.fetch_add(1, Ordering::Relaxed))
            .bind("incident")
            .bind(stream)
            .bind(sequence)
            .bind(&event.event_type)
            .bind("1")
            .bind(&event.payload)
            .bind(metadata)
            .bind(event.event_id)
            .bind(ids::fresh())
            .bind(0)
            .bind([7_u8; 16].as_slice())
            .execute(&self.pool)
            .await
            .expect("a bare row goes in");
    }

    async fn insert(&self, batch: &[Append]) -> Result<Vec<Verdict>, StorageError> {
        let rows: Vec<(&Append, &StreamWrite, u64, &NewEvent)> = batch
            .iter()
            .flat_map(|append| append.streams.iter().map(move |write| (append, write)))
            .flat_map(|(append, write)| {
                (write.expected + 1..).zip(&write.events).map(move |(sequence, event)| (append, write, sequence, event))
            })
            .collect();
        let count = i64::try_from(rows.len()).expect("a batch is small");
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        let salt = [7_u8; 16];
        sqlx::query(INSERT)
            .bind((first..first + count).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.1.stream.aggregate_type.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.1.stream.aggregate_id.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.2.cast_signed()).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.3.event_type.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.3.event_version.to_string()).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.3.payload.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.0.metadata.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.3.event_id).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.0.command_id).collect::<Vec<_>>())
            .bind(vec![0_i32; rows.len()])
            .bind(vec![salt.as_slice(); rows.len()])
            .execute(&self.pool)
            .await?;
        let position = first.unsigned_abs();
        let receipts = (position..).take(batch.len()).map(|at| Receipt { first: at, last: at });
        Ok(receipts.map(Verdict::Committed).collect())
    }
}

impl EventLog for BareInsert {
    fn append<'a>(&'a self, batch: &'a [Append]) -> BoxFuture<'a, Result<Vec<Verdict>, StorageError>> {
        self.insert(batch).boxed()
    }

    fn load<'a>(&'a self, _: &'a [Wanted]) -> BoxFuture<'a, Result<Vec<Recorded>, StorageError>> {
        async { Ok(Vec::new()) }.boxed()
    }
}

/// The append of one note to a stream, as the bus would make it.
pub fn note(stream: &str, expected: u64) -> Append {
    let event = NewEvent {
        event_id: ids::fresh(),
        event_type: "incident.note_added".to_owned(),
        event_version: 1,
        payload: serde_json::json!({
            "type": "incident.note_added", "by": "bench",
            "text": format!("Note {expected}: the pool of the payment service was exhausted; raised it to 80 and watching."),
        })
        .to_string(),
    };
    let write = StreamWrite { stream: StreamId::new("incident", stream), expected, events: vec![event] };
    Append { metadata: METADATA.to_owned(), ..Append::new(ids::fresh(), vec![write]) }
}

pub const METADATA: &str =
    r#"{"actor_id":"bench","actor_kind":"user","correlation_id":"0190a8f2-7b1c-7d3e-9f00-0123456789ab"}"#;
