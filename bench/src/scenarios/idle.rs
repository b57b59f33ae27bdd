//! What a server uses while nobody asks it for anything: a process with all views, reactors and workers.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use testbed::Cluster;
use tokio::time::sleep;

use super::Effort;
use crate::child::{Idle, used_by_children};
use crate::logs;
use crate::report::{Line, Promise, median};

/// Events in the log that it has followed.
const EVENTS: u64 = 2_000;
/// Until what it did at its start is over.
const SETTLING: Duration = Duration::from_secs(5);

pub async fn idle(cluster: &Cluster, program: &Path, effort: Effort) -> Vec<Line> {
    let (url, _) = logs::filled(cluster, EVENTS, 10).await;
    let process = Idle::start(program, &url);
    sleep(SETTLING.min(Duration::from_secs(effort.seconds))).await;
    let (mut shares, mut servers) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds.min(3) {
        let (begun, ours) = (Instant::now(), process.used());
        let server: HashMap<_, _> = used_by_children(cluster.pid()).into_iter().collect();
        sleep(Duration::from_secs(effort.seconds * 2)).await;
        let server = used_by_children(cluster.pid())
            .into_iter()
            .map(|(id, used)| used - server.get(&id).copied().unwrap_or_default())
            .sum::<f64>();
        let seconds = begun.elapsed().as_secs_f64();
        shares.push((process.used() - ours) / seconds * 100.0);
        servers.push(server / seconds * 100.0);
    }
    vec![Line {
        what: "share of a core that an idle process uses, with all views, reactors and workers".to_owned(),
        promise: Promise::Within(1.0, " %"),
        ours: format!("{:.2} %", median(&shares)),
        peer: format!("{:.2} % (PostgreSQL's processes meanwhile)", median(&servers)),
        ratios: shares,
    }]
}
