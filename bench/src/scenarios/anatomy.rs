//! Where the time of an append goes: the same batch put in by one caller, one call after the other, each variant with
//! one thing more than the one before it, from the bare INSERT to the log's own function.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgArguments, PgPool, PgPoolOptions};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Executor, Postgres};
use storage::{Config, Store};
use testbed::Cluster;
use uuid::Uuid;

use super::Effort;
use crate::load::new_stream;
use crate::peers::note;
use crate::report::{Line, Promise, median};

/// Events in a batch: what 64 callers make together, see the scenario of the append alone.
const BATCH: usize = 32;
const CALLS: usize = 150;

/// What a variant is, and the body of its function; the bare INSERT has none.
struct Variant {
    name: &'static str,
    body: Option<&'static str>,
}

macro_rules! insert {
    ($first:literal, $at:literal) => {
        concat!(
            "INSERT INTO events SELECT ", $first, " + e.n, e.type, e.id, e.sequence, e.event_type, e.version,
               e.payload::json, e.metadata::json, e.event_id, e.command_id, e.ord, e.salt, ", $at, "
               FROM unnest(e_type, e_id, e_sequence, e_event_type, e_version, e_payload, e_metadata, e_event_id,
                           e_command_id, e_ord, e_salt) WITH ORDINALITY
                    AS e(type, id, sequence, event_type, version, payload, metadata, event_id, command_id, ord, salt, n);"
        )
    };
}

const BARE: &str = "INSERT INTO events
    SELECT $1 + e.n, e.type, e.id, e.sequence, e.event_type, e.version, e.payload::json, e.metadata::json, e.event_id,
           e.command_id, e.ord, e.salt, clock_timestamp()
      FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[],
                  $10::uuid[], $11::int[], $12::bytea[]) WITH ORDINALITY
           AS e(type, id, sequence, event_type, version, payload, metadata, event_id, command_id, ord, salt, n)";

const VARIANTS: &[Variant] = &[
    Variant { name: "the bare INSERT", body: None },
    Variant {
        name: "… inside a function",
        body: Some(concat!("BEGIN ", insert!("first_position", "clock_timestamp()"), " END")),
    },
    Variant {
        name: "… under the log's lock",
        body: Some(concat!(
            "BEGIN PERFORM pg_advisory_xact_lock(5044039871231); ",
            insert!("first_position", "clock_timestamp()"),
            " END"
        )),
    },
    Variant {
        name: "… behind the log's head and its time",
        body: Some(concat!(
            "DECLARE head bigint; at timestamptz; BEGIN PERFORM pg_advisory_xact_lock(5044039871231);
             SELECT e.position, e.recorded_at INTO head, at FROM events e ORDER BY e.position DESC LIMIT 1;
             head := coalesce(head, 0); at := greatest(clock_timestamp(), at); ",
            insert!("head", "at"),
            " END"
        )),
    },
    Variant {
        name: "… undone when a key is violated",
        body: Some(concat!(
            "DECLARE head bigint; at timestamptz; BEGIN PERFORM pg_advisory_xact_lock(5044039871231);
             SELECT e.position, e.recorded_at INTO head, at FROM events e ORDER BY e.position DESC LIMIT 1;
             head := coalesce(head, 0); at := greatest(clock_timestamp(), at); ",
            insert!("head", "at"),
            " EXCEPTION WHEN unique_violation THEN RAISE NOTICE 'undone'; END"
        )),
    },
];

/// A batch as columns.
#[derive(Default)]
struct Batch {
    stream: Vec<String>,
    payload: Vec<String>,
    metadata: Vec<String>,
    event_id: Vec<Uuid>,
    command_id: Vec<Uuid>,
}

impl Batch {
    fn new() -> Self {
        let mut batch = Self::default();
        for _ in 0..BATCH {
            let append = note(&new_stream(), 0);
            let write = &append.streams[0];
            batch.stream.push(write.stream.aggregate_id.clone());
            batch.payload.push(write.events[0].payload.clone());
            batch.metadata.push(append.metadata);
            batch.event_id.push(write.events[0].event_id);
            batch.command_id.push(append.command_id);
        }
        batch
    }

    fn bind<'q>(&'q self, query: Query<'q, Postgres, PgArguments>, at_once: bool) -> Query<'q, Postgres, PgArguments> {
        let salt = [7_u8; 16];
        let query = query.bind(vec!["incident"; BATCH]).bind(&self.stream).bind(vec![1_i64; BATCH]);
        let query = if at_once { query.bind(vec![false; BATCH]) } else { query };
        let query = query.bind(vec!["incident.note_added"; BATCH]).bind(vec!["1"; BATCH]).bind(&self.payload);
        let query = query.bind(&self.metadata).bind(&self.event_id).bind(&self.command_id);
        query.bind(vec![0_i32; BATCH]).bind(vec![salt.to_vec(); BATCH])
    }
}

pub async fn anatomy(cluster: &Cluster, effort: Effort) -> Vec<Line> {
    let mut sides = Vec::new();
    for variant in VARIANTS {
        sides.push((variant.name, Side::of(cluster, variant.body).await));
    }
    sides.push(("the log's own function", Side::ours(cluster).await));
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); sides.len()];
    for round in 0..=effort.rounds {
        for ((_, side), times) in sides.iter_mut().zip(&mut times) {
            let time = side.time().await;
            // The first round warms all of them up.
            if round > 0 {
                times.push(time.as_secs_f64() * 1e6);
            }
        }
    }
    let bare = times[0].clone();
    let line = |((name, _), times): (&(&str, Side), &Vec<f64>)| Line {
        what: format!("a batch of {BATCH} in one call, one after the other: {name} ÷ the bare INSERT"),
        promise: Promise::None,
        ours: format!("{:.0} µs", median(times)),
        peer: format!("{:.0} µs", median(&bare)),
        ratios: times.iter().zip(&bare).map(|(time, bare)| time / bare).collect(),
    };
    sides.iter().zip(&times).skip(1).map(line).collect()
}

struct Side {
    pool: PgPool,
    sql: &'static str,
    at_once: bool,
    next: i64,
}

impl Side {
    async fn open(cluster: &Cluster) -> PgPool {
        let url = cluster.database().await;
        drop(Store::open(&Config::new(&url)).await.expect("our tables"));
        let options = url.parse::<sqlx::postgres::PgConnectOptions>().expect("a URL");
        let options = options.options([("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off")]);
        PgPoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .expect("a database")
    }

    async fn of(cluster: &Cluster, body: Option<&'static str>) -> Self {
        let pool = Self::open(cluster).await;
        let sql = match body {
            None => BARE,
            Some(body) => {
                let function = format!(
                    "CREATE FUNCTION variant(first_position bigint, e_type text[], e_id text[], e_sequence bigint[],
                       e_event_type text[], e_version text[], e_payload text[], e_metadata text[], e_event_id uuid[],
                       e_command_id uuid[], e_ord int[], e_salt bytea[]) RETURNS void LANGUAGE plpgsql AS $$ {body} $$"
                );
                pool.execute(sqlx::raw_sql(AssertSqlSafe(function))).await.expect("a variant");
                "SELECT variant($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
            }
        };
        Self { pool, sql, at_once: false, next: 0 }
    }

    async fn ours(cluster: &Cluster) -> Self {
        let sql = "SELECT first_position, timeline FROM append_at_once(
            NULL::text, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        Self { pool: Self::open(cluster).await, sql, at_once: true, next: 0 }
    }

    /// The median time of a call.
    async fn time(&mut self) -> Duration {
        let mut times = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let batch = Batch::new();
            let query = sqlx::query(self.sql);
            let query = if self.at_once { query } else { query.bind(self.next) };
            self.next += i64::try_from(BATCH).expect("a batch is small");
            let query = batch.bind(query, self.at_once);
            let asked = Instant::now();
            query.execute(&self.pool).await.expect("a batch goes in");
            times.push(asked.elapsed());
        }
        times.sort();
        times[CALLS / 2]
    }
}
