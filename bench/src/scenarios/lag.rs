//! How far all views are behind the log while commands go through the bus at half of the rate that they must keep up
//! with.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use commands::ids;
use projections::registry::VIEWS;
use projections::{Feed, Views};
use testbed::Cluster;
use tokio::task::JoinHandle;

use super::Effort;
use crate::load::{Side, paced};
use crate::peers::Ours;
use crate::report::{Line, Promise, median};

/// Half of the 0.4 that all views together must reach of the bus's peak.
const SHARE_OF_THE_PEAK: f64 = 0.2;
const PATIENCE: Duration = Duration::from_mins(1);
/// How often somebody who waits for a view's next step looks whether there will be one.
const LOOK: Duration = Duration::from_millis(200);

/// Our bus, and when it answered which position.
struct Answered {
    ours: Ours,
    at: Mutex<Vec<(u64, Instant)>>,
}

impl Side for Answered {
    async fn command(&self, stream: &str, step: usize) {
        let position = self.ours.send(stream, step).await;
        self.at.lock().unwrap_or_else(PoisonError::into_inner).push((position, Instant::now()));
    }

    async fn events(&self) -> u64 {
        self.ours.events().await
    }
}

pub async fn lag(cluster: &Cluster, effort: Effort, peak: f64) -> Line {
    let ours = Ours::open(&cluster.database().await).await;
    let views = Views::start(&Feed::new(ours.bus.store().clone()), ids::fresh(), VIEWS);
    let side = Arc::new(Answered { ours, at: Mutex::default() });
    let rate = peak * SHARE_OF_THE_PEAK;
    paced(&side, rate, Duration::from_secs(effort.seconds).div_f64(4.0)).await;
    let (mut medians, mut tails, mut worst, mut rates) = (Vec::new(), Vec::new(), 0.0_f64, Vec::new());
    for _ in 0..effort.rounds.min(3) {
        let lags = measured(&views, &side, rate, effort.seconds, &mut rates).await;
        let at = |share: usize| lags[(lags.len() - 1) * share / 100];
        medians.push(at(50));
        tails.push(at(99));
        worst = worst.max(at(100));
    }
    Line {
        what: format!(
            "all {} views behind the log, p99 over all events, at {:.0} commands/s (0.2 of the bus's peak)",
            VIEWS.len(),
            median(&rates)
        ),
        promise: Promise::Within(50.0, " ms"),
        ours: format!("median {:.1} ms, p99 {:.1} ms, longest {worst:.0} ms", median(&medians), median(&tails)),
        peer: "–".to_owned(),
        ratios: tails,
    }
}

/// Milliseconds from each event's answer until the last view had folded it, in ascending order.
async fn measured(views: &Views, side: &Arc<Answered>, rate: f64, seconds: u64, rates: &mut Vec<f64>) -> Vec<f64> {
    let end = Arc::new(AtomicU64::new(u64::MAX));
    let watchers: Vec<JoinHandle<Vec<(u64, Instant)>>> =
        VIEWS.iter().map(|view| tokio::spawn(steps(views.clone(), view.name, end.clone()))).collect();
    side.at.lock().unwrap_or_else(PoisonError::into_inner).clear();
    rates.push(paced(side, rate, Duration::from_secs(seconds)).await.rate());
    end.store(side.events().await, Ordering::Relaxed);
    let mut steps_of_views = Vec::new();
    for watcher in watchers {
        steps_of_views.push(watcher.await.expect("every view comes to the end"));
    }
    let answered = std::mem::take(&mut *side.at.lock().unwrap_or_else(PoisonError::into_inner));
    let folded = |steps: &Vec<(u64, Instant)>, position| {
        let step = steps.partition_point(|(reached, _)| *reached < position);
        steps.get(step).expect("it was folded").1
    };
    let lag = |(position, answered): &(u64, Instant)| {
        let folded = steps_of_views.iter().map(|steps| folded(steps, *position)).max().expect("there are views");
        folded.saturating_duration_since(*answered).as_secs_f64() * 1e3
    };
    let mut lags: Vec<f64> = answered.iter().map(lag).collect();
    lags.sort_by(f64::total_cmp);
    lags
}

/// The positions that a view reaches, and when, until it has come to the end.
async fn steps(views: Views, view: &'static str, end: Arc<AtomicU64>) -> Vec<(u64, Instant)> {
    let begun = Instant::now();
    let position = || views.standing(view).map_or(0, |standing| standing.position);
    let mut steps = vec![(position(), begun)];
    while steps[steps.len() - 1].0 < end.load(Ordering::Relaxed) {
        let next = steps[steps.len() - 1].0 + 1;
        if views.reach(view, next, LOOK).await.is_ok() {
            steps.push((position(), Instant::now()));
        } else {
            assert!(begun.elapsed() < PATIENCE, "the view {view} stands still: {:?}", views.standing(view));
        }
    }
    steps
}
