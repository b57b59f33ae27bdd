//! Appending alone: our function, and the same rows in the same batches with no lock and no check. Both sit behind the
//! same group commit, so that the batches are alike.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use storage::{Append, Config, Limits, Store, Verdict, Writer};
use testbed::Cluster;

use super::Effort;
use crate::load::{STREAM_LENGTH, new_stream};
use crate::peers::{BareInsert, note};
use crate::report::{Line, Promise, median};

const CALLERS: usize = 64;

pub async fn append_alone(cluster: &Cluster, effort: Effort) -> Vec<Line> {
    let store = Store::open(&Config::new(cluster.database().await)).await.expect("our store opens");
    let bare = Writer::new(Arc::new(BareInsert::open(&cluster.database().await).await), Limits::default());
    let bare = Arc::new(bare);
    let (mut our_rates, mut bare_rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=effort.rounds {
        let log = store.clone();
        let ours = rate(effort.commands * 2, move |append| {
            let log = log.clone();
            async move { log.append(append).await.expect("our log appends") }
        })
        .await;
        let table = bare.clone();
        let floor = rate(effort.commands * 2, move |append| {
            let table = table.clone();
            async move { table.append(append).await.expect("a bare insert appends") }
        })
        .await;
        // The first round warms both up.
        if round > 0 {
            our_rates.push(ours);
            bare_rates.push(floor);
            ratios.push(ours / floor);
        }
    }
    vec![Line {
        what: "append alone, 64 callers: log ÷ bare INSERT in the same batches".to_owned(),
        promise: Promise::AtLeast(0.85),
        ours: format!("{:.0}/s", median(&our_rates)),
        peer: format!("{:.0}/s", median(&bare_rates)),
        ratios,
    }]
}

#[expect(clippy::cast_precision_loss, reason = "appends of one run are few")]
async fn rate<F, A>(appends: usize, append: F) -> f64
where
    F: Fn(Append) -> A + Send + Clone + 'static,
    A: Future<Output = Verdict> + Send,
{
    let streams = appends / STREAM_LENGTH;
    let taken = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (taken, append) = (taken.clone(), append.clone());
            tokio::spawn(async move {
                while taken.fetch_add(1, Ordering::Relaxed) < streams {
                    let stream = new_stream();
                    for step in 0..STREAM_LENGTH as u64 {
                        let verdict = append(note(&stream, step)).await;
                        assert!(matches!(verdict, Verdict::Committed(_)), "{verdict:?}");
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a caller does not panic");
    }
    (streams * STREAM_LENGTH) as f64 / begun.elapsed().as_secs_f64()
}
