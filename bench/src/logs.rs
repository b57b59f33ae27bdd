//! Large logs, written by one statement instead of command by command: the same rows that callers would have left.

use domain::Aggregate;
use domain::incident::Incident;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{Connection, PgConnection};
use storage::{Config, Store};
use testbed::{Cluster, eventually};

use crate::load::command;
use crate::peers::METADATA;

/// Streams that go on at the same time, as they do when 64 callers work.
pub const ABREAST: u64 = 64;

/// Events per statement.
const AT_ONCE: u64 = 100_000;

/// In blocks of 64 streams, whose events take turns. Ids grow with time, as ours do.
const FILL: &str = "
INSERT INTO events
SELECT p, 'incident', s.id, s.step + 1,
       CASE s.step WHEN 0 THEN 'incident.declared' ELSE 'incident.note_added' END, '1',
       CASE s.step WHEN 0 THEN $1 ELSE $2 END::json, $3::json,
       (lpad(to_hex(p), 12, '0') || '7000800000000000' || '0001')::uuid,
       (lpad(to_hex(p), 12, '0') || '7000800000000000' || '0002')::uuid, 0, decode(md5(p::text), 'hex'),
       timestamptz '2026-01-01' + p * interval '1 second'
  FROM generate_series($4::bigint, $5::bigint) p
 CROSS JOIN LATERAL (SELECT (p - 1) / ($6::bigint * 64) * 64 + (p - 1) % 64 AS n,
                            (p - 1) % ($6::bigint * 64) / 64 AS step) b
 CROSS JOIN LATERAL (SELECT b.step, (lpad(to_hex(1767225600000 + b.n), 12, '0') || '7' || substr(md5(b.n::text), 1, 3)
                                     || '8' || substr(md5(b.n::text), 4, 15))::uuid::text AS id) s";

/// The payloads of the first event of a stream, and of the others.
pub fn payloads() -> (String, String) {
    let mut state = Incident::default();
    let payload = |state: &mut Incident, step| {
        let events = state.decide(&command(step)).expect("it is allowed");
        for event in &events {
            state.apply(event);
        }
        serde_json::to_string(&events[0]).expect("an event is JSON")
    };
    (payload(&mut state, 0), payload(&mut state, 1))
}

/// So many events or a few more, in whole blocks of streams of `length`.
pub fn rounded(events: u64, length: u64) -> u64 {
    events.next_multiple_of(length * ABREAST)
}

/// Writes the positions after `from` up to `to` of a log of streams of `length`. Nobody else may write to it.
pub async fn fill(url: &str, from: u64, to: u64, length: u64) {
    let pool = PgPoolOptions::new().max_connections(1).connect(url).await.expect("the database is there");
    let (declared, noted) = payloads();
    for first in (from + 1..=to).step_by(usize::try_from(AT_ONCE).expect("it is small")) {
        sqlx::query(FILL)
            .bind(&declared)
            .bind(&noted)
            .bind(METADATA)
            .bind(first.cast_signed())
            .bind((first + AT_ONCE - 1).min(to).cast_signed())
            .bind(length.cast_signed())
            .execute(&pool)
            .await
            .expect("the log fills");
    }
    sqlx::query("VACUUM ANALYZE events").execute(&pool).await.expect("statistics");
    pool.close().await;
}

/// A database whose log has so many events, or a few more; their number.
pub async fn filled(cluster: &Cluster, events: u64, length: u64) -> (String, u64) {
    let (url, events) = (cluster.database().await, rounded(events, length));
    drop(Store::open(&Config::new(&url)).await.expect("our store opens"));
    fill(&url, 0, events, length).await;
    (url, events)
}

/// The ids of the first `count` streams in the log.
pub async fn streams(url: &str, count: u64) -> Vec<String> {
    let pool = PgPool::connect(url).await.expect("the database is there");
    let first = sqlx::query_scalar("SELECT aggregate_id FROM events WHERE sequence = 1 ORDER BY position LIMIT $1");
    let ids = first.bind(count.cast_signed()).fetch_all(&pool).await.expect("streams");
    pool.close().await;
    ids
}

/// A copy of a database, named `name`.
pub async fn copy(cluster: &Cluster, url: &str, name: &str) -> String {
    alone(url).await;
    let original = url.rsplit('/').next().expect("a URL ends with a database");
    cluster.execute("postgres", &format!("CREATE DATABASE {name} TEMPLATE {original}")).await;
    cluster.url(name)
}

/// Waits until nobody is connected to a database any more: then all that its sessions have counted is known.
pub async fn alone(url: &str) {
    const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
                           AND datname = current_database() AND pid <> pg_backend_pid()";
    eventually("the other sessions have ended", || async {
        let mut connection = PgConnection::connect(url).await.expect("the database is there");
        let others: i64 = sqlx::query_scalar(OTHERS).fetch_one(&mut connection).await.expect("a count");
        connection.close().await.expect("it ends");
        others == 0
    })
    .await;
    // This session itself is gone a moment later.
    let server = url.rsplit_once('/').map(|(server, _)| format!("{server}/postgres")).expect("a URL");
    let name = url.rsplit('/').next().expect("a URL ends with a database").to_owned();
    eventually("the session that looked has ended", || async {
        let mut connection = PgConnection::connect(&server).await.expect("the server is there");
        let count = sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = $1").bind(&name);
        let sessions: i64 = count.fetch_one(&mut connection).await.expect("a count");
        sessions == 0
    })
    .await;
}
