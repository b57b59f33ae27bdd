//! Commands through our bus, and the same commands through cqrs-es's framework.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use testbed::Cluster;

use super::Effort;
use crate::load::{Sample, Side, new_stream, run};
use crate::peers::{Ours, PostgresEs, SqliteEs};
use crate::report::{Line, Promise, describe};

pub async fn bus_on_postgres(cluster: &Cluster, effort: Effort) -> Vec<Line> {
    let ours = Arc::new(Ours::open(&cluster.database().await).await);
    let peer_url = cluster.database().await;
    // As shipped, and one tuned to the callers: the better one counts in each round.
    let peers = [Arc::new(PostgresEs::open(&peer_url, 10).await), Arc::new(PostgresEs::open(&peer_url, 32).await)];
    let mut lines = Vec::new();
    for (callers, promise) in [(1, 1.3), (16, 1.3), (64, 4.0)] {
        let what = format!("commands on PostgreSQL, {callers} caller(s): bus ÷ postgres-es");
        lines.push(compare(&what, Promise::AtLeast(promise), &ours, &peers, callers, effort).await);
    }
    lines
}

pub async fn bus_on_sqlite(folder: &Path, effort: Effort) -> Vec<Line> {
    let ours = Arc::new(Ours::open(&format!("sqlite:{}", folder.join("ours.db").display())).await);
    let file = folder.join("peer.db");
    let peers = [Arc::new(SqliteEs::open(&file, 1).await), Arc::new(SqliteEs::open(&file, 4).await)];
    let what = "commands on SQLite, 64 caller(s): bus ÷ sqlite-es";
    vec![compare(what, Promise::AtLeast(4.0), &ours, &peers, 64, effort).await]
}

async fn compare<O: Side, P: Side>(
    what: &str,
    promise: Promise,
    ours: &Arc<O>,
    peers: &[Arc<P>],
    callers: usize,
    effort: Effort,
) -> Line {
    let commands = effort.commands_for(callers);
    run(ours, callers, commands / 4).await;
    for peer in peers {
        run(peer, callers, commands / 8).await;
    }
    let (mut our_samples, mut peer_samples, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        let our = run(ours, callers, commands).await;
        let mut best: Option<Sample> = None;
        for peer in peers {
            // A stated sample: the peer is slower, and its rate does not depend on how long it runs.
            let sample = run(peer, callers, commands / 2).await;
            if best.as_ref().is_none_or(|best| best.rate() < sample.rate()) {
                best = Some(sample);
            }
        }
        let peer = best.expect("there is a peer");
        ratios.push(our.rate() / peer.rate());
        our_samples.push(our);
        peer_samples.push(peer);
    }
    Line { what: what.to_owned(), promise, ours: describe(&our_samples), peer: describe(&peer_samples), ratios }
}

/// All callers on one stream: whoever is too late decides again.
pub async fn hot_stream(cluster: &Cluster, effort: Effort) -> Vec<Line> {
    let ours = Arc::new(Ours::open(&cluster.database().await).await);
    let peer = Arc::new(PostgresEs::open(&cluster.database().await, 32).await);
    let commands = effort.commands / 20;
    let (mut our_rates, mut peer_rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds.min(3) {
        our_rates.push(hot(&ours, commands).await);
        peer_rates.push(hot(&peer, commands).await);
        ratios.push(our_rates[our_rates.len() - 1] / peer_rates[peer_rates.len() - 1]);
    }
    let rate = |rates: &[f64]| format!("{:.0}/s", crate::report::median(rates));
    vec![Line {
        what: "64 callers on one stream: bus ÷ postgres-es (which retries)".to_owned(),
        promise: Promise::None,
        ours: rate(&our_rates),
        peer: rate(&peer_rates),
        ratios,
    }]
}

#[expect(clippy::cast_precision_loss, reason = "commands of one run are few")]
async fn hot<S: Side>(side: &Arc<S>, commands: usize) -> f64 {
    let stream = new_stream();
    side.command(&stream, 0).await;
    let before = side.events().await;
    let taken = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (side, taken, stream) = (side.clone(), taken.clone(), stream.clone());
            tokio::spawn(async move {
                while taken.fetch_add(1, Ordering::Relaxed) < commands {
                    side.command(&stream, 1).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a caller does not panic");
    }
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(side.events().await - before, commands as u64, "every command must have left one event");
    commands as f64 / seconds
}
