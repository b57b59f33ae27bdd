//! What a caller who is alone waits for: a command through the bus, and one bare row.

use std::time::{Duration, Instant};

use testbed::Cluster;

use super::Effort;
use crate::load::{STREAM_LENGTH, Side, new_stream};
use crate::peers::{BareInsert, METADATA, Ours, note};
use crate::report::{Line, Promise, median};

pub async fn lone_caller(cluster: &Cluster, effort: Effort) -> Vec<Line> {
    let ours = Ours::open(&cluster.database().await).await;
    let bare = BareInsert::open(&cluster.database().await).await;
    let streams = (effort.commands / 64).max(2);
    let (mut our_medians, mut bare_medians, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=effort.rounds {
        let (mut our, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..streams {
            let stream = new_stream();
            for step in 0..STREAM_LENGTH {
                // Taken in turn, command by command: whatever the machine does hits both.
                let asked = Instant::now();
                ours.command(&stream, step).await;
                our.push(asked.elapsed());
                let row = note(&stream, step as u64);
                let event = &row.streams[0].events[0];
                let asked = Instant::now();
                bare.insert_one(&stream, (step as u64 + 1).cast_signed(), event, METADATA).await;
                floor.push(asked.elapsed());
            }
        }
        if round > 0 {
            our_medians.push(middle(&our));
            bare_medians.push(middle(&floor));
            ratios.push(middle(&our) / middle(&floor));
        }
    }
    vec![Line {
        what: "a lone caller's latency: bus ÷ bare single-row INSERT".to_owned(),
        promise: Promise::AtMost(1.8),
        ours: format!("{:.0} µs", median(&our_medians)),
        peer: format!("{:.0} µs", median(&bare_medians)),
        ratios,
    }]
}

fn middle(latencies: &[Duration]) -> f64 {
    median(&latencies.iter().map(|latency| latency.as_secs_f64() * 1e6).collect::<Vec<_>>())
}
