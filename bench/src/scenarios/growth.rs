//! What a command costs in a small log and in a large one: the pages that it reads, and its time. The states are not
//! remembered from before, so every command loads its stream.

use std::time::Instant;

use commands::Bus;
use domain::incident::Incident;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, Row};
use testbed::Cluster;

use super::Effort;
use crate::load::{STREAM_LENGTH, Side, command};
use crate::peers::Ours;
use crate::report::{Line, Promise, median};

const SMALL: u64 = 10_000;
/// Commands measured in each log and round, each on a stream of its own.
const COMMANDS: u64 = 100;

/// Streams of ten events each, as old as their position says. Ids grow with time, as ours do.
const FILL: &str = "
INSERT INTO events
SELECT p, 'incident', 'stream-' || lpad(((p - 1) / 10)::text, 12, '0'), (p - 1) % 10 + 1,
       CASE (p - 1) % 10 WHEN 0 THEN 'incident.declared' ELSE 'incident.note_added' END, '1',
       CASE (p - 1) % 10 WHEN 0 THEN $1 ELSE $2 END::json, $3::json,
       (lpad(to_hex(p), 12, '0') || '7000800000000000' || '0001')::uuid,
       (lpad(to_hex(p), 12, '0') || '7000800000000000' || '0002')::uuid, 0, decode(md5(p::text), 'hex'),
       timestamptz '2026-01-01' + p * interval '1 second'
  FROM generate_series($4::bigint, $5::bigint) p";

struct Log {
    url: String,
    ours: Ours,
    streams: u64,
    used: u64,
}

impl Log {
    async fn filled(cluster: &Cluster, events: u64) -> Self {
        let url = cluster.database().await;
        let ours = Ours::open(&url).await;
        let (declared, noted) = crate::logs::payloads();
        let pool = PgPoolOptions::new().max_connections(1).connect(&url).await.expect("the database is there");
        for from in (1..=events).step_by(100_000) {
            sqlx::query(FILL)
                .bind(&declared)
                .bind(&noted)
                .bind(crate::peers::METADATA)
                .bind(from.cast_signed())
                .bind((from + 99_999).min(events).cast_signed())
                .execute(&pool)
                .await
                .expect("the log fills");
        }
        sqlx::query("VACUUM ANALYZE events").execute(&pool).await.expect("statistics");
        assert_eq!(ours.events().await, events);
        Self { url, ours, streams: events / STREAM_LENGTH as u64, used: 0 }
    }

    /// Adds a note to `COMMANDS` streams that were not touched before; pages read and median time of a command.
    async fn measure(&mut self) -> (f64, f64) {
        let bus = Bus::new(self.ours.bus.store().clone());
        let before = pages(&self.url).await;
        let mut times = Vec::new();
        for _ in 0..COMMANDS {
            // Spread over the whole log by a stride that is prime to its size.
            let stream = format!("stream-{:012}", self.used * 7919 % self.streams);
            self.used += 1;
            let asked = Instant::now();
            let done =
                bus.execute::<Incident>(&self.ours.request(), &stream, &command(1)).await.expect("it is recorded");
            times.push(asked.elapsed().as_secs_f64() * 1e6);
            assert!(done.changed && done.version_of("incident", &stream) > 10, "an old stream was continued");
        }
        let read = pages(&self.url).await - before;
        #[expect(clippy::cast_precision_loss, reason = "pages of one run are few")]
        let pages = read as f64 / COMMANDS as f64;
        (pages, median(&times))
    }
}

/// Pages that the log's table and indexes were asked for so far, found in memory or not.
async fn pages(url: &str) -> i64 {
    const READ: &str = "SELECT (heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::bigint
                          FROM pg_statio_user_tables WHERE relname = 'events'";
    let mut connection = PgConnection::connect(url).await.expect("the database is there");
    // Backends report once a second; what was read is known when the figure stands still.
    let mut last = -1;
    let mut still = 0;
    while still < 15 {
        sqlx::query("SELECT pg_stat_clear_snapshot()").execute(&mut connection).await.expect("statistics");
        let row = sqlx::query(READ).fetch_one(&mut connection).await.expect("statistics");
        let now: i64 = row.get(0);
        still = if now == last { still + 1 } else { 0 };
        last = now;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    last
}

pub async fn growth(cluster: &Cluster, effort: Effort) -> Vec<Line> {
    let mut small = Log::filled(cluster, SMALL).await;
    let mut large = Log::filled(cluster, effort.large).await;
    let (mut page_ratios, mut time_ratios) = (Vec::new(), Vec::new());
    let (mut in_small, mut in_large) = (Vec::new(), Vec::new());
    // The small log has ten rounds' worth of untouched streams; the first round warms both up.
    for round in 0..=effort.rounds.min(9) {
        let (few, many) = (small.measure().await, large.measure().await);
        if round > 0 {
            page_ratios.push(many.0 / few.0);
            time_ratios.push(many.1 / few.1);
            in_small.push(few);
            in_large.push(many);
        }
    }
    let line = |what: &str, bound, ours: String, peer: String, ratios| Line {
        what: format!("{} events ÷ 10,000 events: {what}", effort.large),
        promise: Promise::AtMost(bound),
        ours,
        peer,
        ratios,
    };
    vec![
        line(
            "pages that a command reads",
            1.25,
            format!("{:.1} pages", middle(&in_large, |(pages, _)| *pages)),
            format!("{:.1} pages", middle(&in_small, |(pages, _)| *pages)),
            page_ratios,
        ),
        line(
            "median time of a command",
            1.5,
            format!("{:.0} µs", middle(&in_large, |(_, time)| *time)),
            format!("{:.0} µs", middle(&in_small, |(_, time)| *time)),
            time_ratios,
        ),
    ]
}

fn middle(measured: &[(f64, f64)], part: impl Fn(&(f64, f64)) -> f64) -> f64 {
    median(&measured.iter().map(part).collect::<Vec<_>>())
}
