//! Seen from the kernel: between a request and its acknowledgement, something was flushed to the disk.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use testbed::{Cluster, Durability, eventually, find_program};

use crate::serving::Serving;

const REQUESTS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_flushed_before_every_acknowledgement() {
    let serving = Serving::on_sqlite().await;
    let unflushed = unflushed(&serving, serving.pid()).await;
    assert_eq!(unflushed, 0, "of {REQUESTS} acknowledgements");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_flushed_before_every_acknowledgement() {
    let (unflushed, log) = on_postgres(Durability::Full).await;
    assert_eq!(unflushed, 0, "of {REQUESTS} acknowledgements");
    assert!(!log.contains("PostgreSQL runs with"), "{log}");
}

/// The control: where nothing is flushed in time, this test sees it.
#[tokio::test(flavor = "multi_thread")]
async fn without_synchronous_commit_acknowledgements_come_unflushed() {
    let (unflushed, log) = on_postgres(Durability::Asynchronous).await;
    assert!(unflushed > REQUESTS / 2, "only {unflushed}");
    assert!(log.contains("PostgreSQL runs with synchronous_commit = off"), "the operator is warned: {log}");
}

/// And what the server logged.
async fn on_postgres(durability: Durability) -> (usize, String) {
    let cluster = tokio::task::spawn_blocking(move || Cluster::start(durability)).await.unwrap();
    let serving = Serving::on(&cluster.database().await).await;
    (unflushed(&serving, cluster.pid()).await, serving.log())
}

/// How many of some requests, sent one after the other, were answered without a flush in between.
async fn unflushed(serving: &Serving, traced: i32) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace");
    let trace = Trace::start(traced, &file);
    let admin = serving.admin();
    eventually("strace is attached", || async { trace.is_attached() }).await;
    let mut intervals = Vec::new();
    for n in 0..REQUESTS {
        let sent = now();
        admin.post("/api/incidents", json!({ "title": format!("Flushed {n}") })).await.expect(201);
        intervals.push((sent, now()));
    }
    drop(trace);
    let flushes = flushes(&file);
    intervals.iter().filter(|(sent, told)| !flushes.iter().any(|at| sent < at && at < told)).count()
}

#[expect(clippy::disallowed_methods, reason = "compared with the times in a trace")]
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// The times at which a flush began.
fn flushes(file: &Path) -> Vec<f64> {
    let trace = fs::read_to_string(file).unwrap();
    trace
        .lines()
        .filter(|line| line.contains("sync("))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse().ok())
        .collect()
}

struct Trace {
    strace: Child,
    traced: Vec<i32>,
}

impl Trace {
    fn start(process: i32, file: &Path) -> Self {
        let mut strace = Command::new(find_program("strace"));
        strace.args(["-f", "-ttt", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-o"]).arg(file);
        // Backends that were there before the trace are named; later ones are followed by themselves.
        let traced: Vec<i32> = std::iter::once(process).chain(children(process)).collect();
        for process in &traced {
            strace.args(["-p", &process.to_string()]);
        }
        let strace = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { strace, traced }
    }

    /// Whether the kernel says that all of them, and every thread of theirs, are traced.
    fn is_attached(&self) -> bool {
        self.traced.iter().flat_map(|process| threads(*process)).all(|status| {
            let status = fs::read_to_string(status).unwrap_or_default();
            // One that has ended meanwhile has no status.
            status.is_empty() || status.lines().any(|l| l.strip_prefix("TracerPid:").is_some_and(|p| p.trim() != "0"))
        })
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // Interrupted, it detaches and writes the rest.
        let _gone = kill(Pid::from_raw(self.strace.id().cast_signed()), Signal::SIGINT);
        let _status = self.strace.wait();
    }
}

fn threads(process: i32) -> Vec<std::path::PathBuf> {
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    tasks.into_iter().flatten().flatten().map(|task| task.path().join("status")).collect()
}

fn children(process: i32) -> Vec<i32> {
    let file = format!("/proc/{process}/task/{process}/children");
    fs::read_to_string(file).unwrap_or_default().split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
