//! What is measured of a process of its own: the bench starts itself again with hidden arguments. The child ends when
//! its parent does, or lets go of its standard input.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

use commands::{Bus, Keys, ids};
use projections::{Feed, Phase, Views, registry};
use reactions::{Options, Reactions, Registry};
use serde::{Deserialize, Serialize};
use storage::{Config, Store};
use vault::MasterKey;
use testbed::eventually;

/// The hidden argument.
pub const CHILD: &str = "--child";

/// What a rebuild in a process of its own came to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Rebuilt {
    pub events: u64,
    pub documents: u64,
    pub seconds: f64,
    /// The most memory that was resident, in megabytes.
    pub megabytes: f64,
}

/// Does what the arguments after [`CHILD`] say.
pub async fn be(arguments: &[String]) {
    let url = arguments.get(1).expect("a child is told its database");
    match (arguments[0].as_str(), arguments.get(2)) {
        ("rebuild", Some(view)) => rebuild(url, view).await,
        ("idle", None) => idle(url).await,
        _ => panic!("a child is told what to do"),
    }
}

async fn rebuild(url: &str, view: &str) {
    let store = Store::open(&Config::new(url)).await.expect("our store opens");
    let view = registry::view(view).expect("there is such a view");
    let begun = Instant::now();
    let built = view.rebuild(&store, &mut |_| {}).await.expect("it is rebuilt");
    let seconds = begun.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells the peak");
    let kilobytes: f64 = peak.trim().trim_end_matches(" kB").parse().expect("in kilobytes");
    let told = Rebuilt { events: built.events, documents: built.documents, seconds, megabytes: kilobytes / 1024.0 };
    println!("{}", serde_json::to_string(&told).expect("it is JSON"));
}

/// Everything that runs unasked in a server, and nothing that asks for anything.
async fn idle(url: &str) {
    let store = Store::open(&Config::new(url)).await.expect("our store opens");
    let bus = Bus::new(store.clone());
    let feed = Feed::new(store);
    let views = Views::start(&feed, ids::fresh(), registry::VIEWS);
    let keys = Keys::open(bus.store(), &MasterKey::draw().expect("randomness")).await.expect("keys open");
    let registry = Registry::of(&bus, &views, &keys);
    let running = Reactions::start(&feed, registry, Options::default()).await.expect("it starts");
    eventually("all views are live", || async {
        views.standings().iter().all(|standing| standing.phase == Phase::Live)
    })
    .await;
    println!("ready");
    std::io::stdout().flush().expect("the parent listens");
    let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    end.await.expect("no panic").expect("the parent lets go");
    drop(running);
}

/// Rebuilds a view in a process of its own.
pub async fn rebuilt(program: &Path, url: &str, view: &str) -> Rebuilt {
    let mut command = Command::new(program);
    command.args([CHILD, "rebuild", url, view]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
    assert!(output.status.success(), "the child: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the child tells what it did")
}

/// A process that has nothing to do.
#[derive(Debug)]
pub struct Idle {
    child: Child,
    _input: ChildStdin,
}

impl Idle {
    /// Returns when all of it runs.
    pub fn start(program: &Path, url: &str) -> Self {
        let mut command = Command::new(program);
        command.args([CHILD, "idle", url]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let (input, output) = (child.stdin.take().expect("it is piped"), child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("the child speaks");
        assert_eq!(line.trim(), "ready");
        Self { child, _input: input }
    }

    /// Seconds of a core that it has used so far.
    pub fn used(&self) -> f64 {
        let process = PathBuf::from(format!("/proc/{}", self.child.id()));
        times(&process).expect("it runs").1
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}

/// Seconds of a core that each process started by `parent` has used so far, by its id.
pub fn used_by_children(parent: i32) -> Vec<(String, f64)> {
    let processes = std::fs::read_dir("/proc").expect("Linux tells").flatten();
    let used = processes.filter_map(|process| {
        let (its_parent, used) = times(&process.path())?;
        (its_parent == parent).then(|| (process.file_name().to_string_lossy().into_owned(), used))
    });
    used.collect()
}

/// The parent of a process, and the seconds of a core that it has used. None when there is no such process.
fn times(process: &Path) -> Option<(i32, f64)> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name before it may contain anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let [user, system]: [f64; 2] = [fields.get(11)?.parse().ok()?, fields.get(12)?.parse().ok()?];
    // In hundredths of a second on every machine that Linux runs on today.
    Some((fields.get(1)?.parse().ok()?, (user + system) / 100.0))
}
