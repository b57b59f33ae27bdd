//! Our queue beside pg-boss: work that does nothing, claimed and finished; and how long work waits for its start.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use commands::ids;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use projections::Feed;
use reactions::{Assignment, Options, Outcome, Reactions, Registry, Worker};
use sqlx::{Connection, PgConnection};
use storage::work::{Closing, NewWork};
use storage::{Config, Store};
use testbed::{Cluster, eventually};
use tokio::time::{sleep, sleep_until};

use super::Effort;
use crate::peers::{Drained, Fetching, Hearing, PgBoss};
use crate::report::{Line, Promise, median};

const KIND: &str = "bench.nothing";
/// Work that goes in with one call, and jobs of the peer's.
const AT_ONCE: usize = 1_000;
const LEASE: Duration = Duration::from_secs(30);
/// Pieces of work a second, when waits are measured.
const RATE: usize = 100;
/// What our pool may have under way: as shipped, and tuned to work that does nothing. The peer's workers have up to 4000.
const SLOTS: [usize; 4] = [16, 100, 400, 1_000];

/// How both sides may fetch: batch and loops. The peer completes each batch with one call.
const FETCHINGS: [(usize, usize); 5] = [(1, 8), (100, 1), (100, 4), (1_000, 1), (1_000, 4)];
/// Its workers pause for half a second between two jobs when they fetch one by one, so that is left out.
const WORKERS: [(usize, usize); 4] = [(100, 1), (100, 4), (1_000, 1), (1_000, 4)];

pub async fn queue(cluster: &Cluster, effort: Effort) -> Vec<Line> {
    let peer = PgBoss::installed();
    let mut lines = drained(cluster, effort, &peer).await;
    for (hearing, how) in [(Hearing::Polling, "polling every 0.5 s"), (Hearing::Notify, "with LISTEN and NOTIFY")] {
        lines.push(started(cluster, effort, &peer, hearing, how).await);
    }
    lines
}

/// Pieces of work a second under one setting, a figure for each round.
struct Setting {
    name: String,
    rates: Vec<f64>,
}

impl Setting {
    fn new(name: String) -> Self {
        Self { name, rates: Vec::new() }
    }
}

/// The best setting's figure in each round, and all of them in words.
fn best(settings: &[Setting]) -> (Vec<f64>, String) {
    let rounds = 0..settings[0].rates.len();
    let best = rounds.map(|round| settings.iter().map(|setting| setting.rates[round]).fold(0.0, f64::max)).collect();
    let words = settings.iter().map(|setting| format!("{}: {:.0}/s", setting.name, median(&setting.rates)));
    (best, words.collect::<Vec<_>>().join(", "))
}

async fn drained(cluster: &Cluster, effort: Effort, peer: &PgBoss) -> Vec<Line> {
    let mut pools = SLOTS.map(|slots| Setting::new(format!("{slots} slots")));
    let named = |(batch, loops): &(usize, usize)| Setting::new(format!("{loops}×{batch}"));
    let mut loops: Vec<Setting> = FETCHINGS.iter().map(named).collect();
    let mut peers: [Vec<Setting>; 2] = [FETCHINGS.iter().map(named).collect(), WORKERS.iter().map(named).collect()];
    for _ in 0..effort.rounds.min(5) {
        for (slots, setting) in SLOTS.into_iter().zip(&mut pools) {
            setting.rates.push(drain(&cluster.database().await, effort.jobs, Draining::Pool { slots }).await);
        }
        for ((batch, loops), setting) in FETCHINGS.into_iter().zip(&mut loops) {
            let by = Draining::Loops { batch, loops };
            setting.rates.push(drain(&cluster.database().await, effort.jobs, by).await);
        }
        for ((by_workers, all), settings) in [(false, &FETCHINGS[..]), (true, &WORKERS[..])].into_iter().zip(&mut peers)
        {
            for (&(batch, loops), setting) in all.iter().zip(settings) {
                let fetching = Fetching { batch, loops, by_workers };
                setting.rates.push(drain_the_peer(peer, &cluster.database().await, effort.jobs, fetching).await);
            }
        }
    }
    let [its_loops, its_workers] = peers.map(|settings| best(&settings));
    let line = |what: String, promise, (ours, ours_in_words): (Vec<f64>, String), peer: &(Vec<f64>, String)| Line {
        what: format!("{} pieces of work: {what}", effort.jobs),
        promise,
        ratios: ours.iter().zip(&peer.0).map(|(ours, peer)| ours / peer).collect(),
        ours: ours_in_words,
        peer: format!("{:.0}/s (loops×batch: {})", median(&peer.0), peer.1),
    };
    let what = "claimed and finished in loops ÷ fetched and completed in pg-boss's".to_owned();
    let mut lines = vec![line(what, Promise::AtLeast(1.0), best(&loops), &its_loops)];
    for (n, pool) in pools.chunks(1).enumerate() {
        let promise = if n == 1 { Promise::AtLeast(1.0) } else { Promise::None };
        let what = format!("our pool with {} ÷ pg-boss's workers", pool[0].name);
        lines.push(line(what, promise, best(pool), &its_workers));
    }
    lines
}

/// Work that says when it was begun.
struct Nothing {
    /// When each piece was asked for.
    asked: Mutex<Vec<Instant>>,
    waited: Mutex<Vec<Duration>>,
}

impl Nothing {
    fn new() -> Arc<Self> {
        Arc::new(Self { asked: Mutex::default(), waited: Mutex::default() })
    }

    fn waits(&self) -> Vec<f64> {
        let waited = self.waited.lock().unwrap_or_else(PoisonError::into_inner);
        waited.iter().map(|wait| wait.as_secs_f64() * 1e3).collect()
    }
}

struct Doing(Arc<Nothing>);

impl Worker for Doing {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run(&self, assignment: Assignment) -> BoxFuture<'_, Outcome> {
        let n = usize::try_from(assignment.work.created_position).expect("it is small");
        if let Some(asked) = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner).get(n) {
            self.0.waited.lock().unwrap_or_else(PoisonError::into_inner).push(asked.elapsed());
        }
        std::future::ready(Outcome::Done).boxed()
    }
}

/// Each in a lane of its own: the peer's jobs have no order either.
fn work(n: usize) -> NewWork {
    NewWork {
        id: ids::fresh(),
        kind: KIND.to_owned(),
        lane: format!("bench {n}"),
        priority: 0,
        payload: r#"{"cause":{"reactor":"bench","event_id":"0190a8f2-7b1c-7d3e-9f00-0123456789ab"},"payload":{}}"#
            .to_owned(),
        run_at_us: None,
        created_position: n as u64,
        n: 0,
    }
}

/// Who does our work.
#[derive(Clone, Copy)]
enum Draining {
    Pool { slots: usize },
    Loops { batch: usize, loops: usize },
}

/// Pieces of work a second.
#[expect(clippy::cast_precision_loss, reason = "pieces of one run are few")]
async fn drain(url: &str, jobs: usize, by: Draining) -> f64 {
    let jobs = if matches!(by, Draining::Loops { batch: 1, .. }) { sample(jobs) } else { jobs };
    let store = Store::open(&Config::new(url)).await.expect("our store opens");
    let all: Vec<NewWork> = (0..jobs).map(work).collect();
    for part in all.chunks(AT_ONCE) {
        store.add_work(part).await.expect("work goes in");
    }
    let mut connection = PgConnection::connect(url).await.expect("the database is there");
    sqlx::query("ANALYZE work").execute(&mut connection).await.expect("statistics");
    let begun = Instant::now();
    match by {
        Draining::Pool { slots } => in_the_pool(&store, jobs, slots).await,
        Draining::Loops { batch, loops } => in_loops(&store, jobs, batch, loops).await,
    }
    let rate = jobs as f64 / begun.elapsed().as_secs_f64();
    let done = sqlx::query_scalar("SELECT count(*) FROM work WHERE state = 'done' AND attempt = 1");
    let done: i64 = done.fetch_one(&mut connection).await.expect("a count");
    assert_eq!(done.unsigned_abs(), jobs as u64, "every piece of work is done, once");
    rate
}

async fn in_the_pool(store: &Store, jobs: usize, slots: usize) {
    let registry = Registry::default().worker(Doing(Nothing::new()));
    let options = Options { slots, ..Options::default() };
    let running = Reactions::start(&Feed::new(store.clone()), registry, options).await.expect("it starts");
    let (status, begun) = (running.status(), Instant::now());
    while status.outcomes().get(KIND).map_or(0, |outcomes| outcomes.done) < jobs as u64 {
        assert!(begun.elapsed() < Duration::from_mins(5), "{:?}", status.outcomes());
        sleep(Duration::from_millis(1)).await;
    }
    running.drain().await;
}

async fn in_loops(store: &Store, jobs: usize, batch: usize, loops: usize) {
    let left = Arc::new(AtomicUsize::new(jobs));
    let tasks: Vec<_> = (0..loops)
        .map(|_| {
            let (store, left) = (store.clone(), left.clone());
            tokio::spawn(async move {
                while left.load(Ordering::Relaxed) > 0 {
                    let claimed = store.claim_work(&[KIND], batch, LEASE).await.expect("work is claimed");
                    let finished = claimed.iter().map(|work| store.finish_work(work.claim));
                    for closing in join_all(finished).await {
                        assert_eq!(closing.expect("work is finished"), Closing::Closed);
                    }
                    left.fetch_sub(claimed.len(), Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a loop does not panic");
    }
}

/// What is done one by one, on both sides.
fn sample(jobs: usize) -> usize {
    jobs / 4
}

#[expect(clippy::cast_precision_loss, reason = "jobs of one run are few")]
async fn drain_the_peer(peer: &PgBoss, url: &str, jobs: usize, fetching: Fetching) -> f64 {
    let jobs = if fetching.batch == 1 { sample(jobs) } else { jobs };
    let Drained { done, seconds } = peer.drain(url, jobs, fetching).await;
    let mut connection = PgConnection::connect(url).await.expect("the database is there");
    let completed = sqlx::query_scalar("SELECT count(*) FROM pgboss.job WHERE state = 'completed' AND name = 'bench'");
    let completed: i64 = completed.fetch_one(&mut connection).await.expect("a count");
    assert_eq!((done, completed.unsigned_abs()), (jobs as u64, jobs as u64), "every job is done, once");
    jobs as f64 / seconds
}

async fn started(cluster: &Cluster, effort: Effort, peer: &PgBoss, hearing: Hearing, how: &str) -> Line {
    let seconds = usize::try_from(effort.seconds).expect("it is short");
    let (mut our_tails, mut peer_tails, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds.min(3) {
        let ours = p99(waits(&cluster.database().await, seconds).await, seconds);
        let peers = p99(peer.starts(&cluster.database().await, RATE, seconds, hearing).await, seconds);
        our_tails.push(ours);
        peer_tails.push(peers);
        ratios.push(ours / peers);
    }
    Line {
        what: format!("p99 from enqueueing to start at {RATE}/s: ours ÷ pg-boss {how}"),
        promise: Promise::AtMost(1.0),
        ours: format!("{:.1} ms", median(&our_tails)),
        peer: format!("{:.1} ms", median(&peer_tails)),
        ratios,
    }
}

fn p99(mut waits: Vec<f64>, seconds: usize) -> f64 {
    assert_eq!(waits.len(), RATE * seconds, "every piece of work was started once");
    waits.sort_by(f64::total_cmp);
    waits[(waits.len() - 1) * 99 / 100]
}

/// Milliseconds from each call that enqueues to the start of the run, on another node of ours.
async fn waits(url: &str, seconds: usize) -> Vec<f64> {
    let asking = Store::open(&Config::new(url)).await.expect("our store opens");
    let working = Store::open(&Config::new(url)).await.expect("our store opens");
    let nothing = Nothing::new();
    let registry = Registry::default().worker(Doing(nothing.clone()));
    let running = Reactions::start(&Feed::new(working), registry, Options::default()).await.expect("it starts");
    let begun = Instant::now() + Duration::from_millis(200);
    let mut asks = Vec::new();
    for n in 0..RATE * seconds {
        let due = begun + Duration::from_millis(n as u64 * 1_000 / RATE as u64);
        sleep_until(due.into()).await;
        nothing.asked.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        let asking = asking.clone();
        asks.push(tokio::spawn(async move { asking.add_work(&[work(n)]).await.expect("work goes in") }));
    }
    for ask in asks {
        ask.await.expect("no panic");
    }
    eventually("all work was begun", || async { nothing.waits().len() >= RATE * seconds }).await;
    running.drain().await;
    nothing.waits()
}
