//! pg-boss, a queue on PostgreSQL for Node.js, pinned by its lockfile in `peers/pg-boss`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Debug, Clone)]
pub struct PgBoss {
    folder: PathBuf,
}

/// How its users may fetch: so many jobs at once, in so many loops, their own or those of its workers.
#[derive(Debug, Clone, Copy)]
pub struct Fetching {
    pub batch: usize,
    pub loops: usize,
    pub by_workers: bool,
}

/// How its workers learn of new jobs.
#[derive(Debug, Clone, Copy)]
pub enum Hearing {
    /// Every half second, the shortest interval it takes.
    Polling,
    /// By LISTEN and NOTIFY, which it has and leaves off.
    Notify,
}

/// A queue filled and emptied.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Drained {
    pub done: u64,
    pub seconds: f64,
}

#[derive(Deserialize)]
struct Started {
    /// In milliseconds.
    waits: Vec<f64>,
}

impl PgBoss {
    /// Installs it, if it is not there yet.
    pub fn installed() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/pg-boss");
        if !folder.join("node_modules/pg-boss").is_dir() {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
            let output = npm.output().expect("npm is installed");
            assert!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
        }
        Self { folder }
    }

    pub async fn drain(&self, url: &str, jobs: usize, fetching: Fetching) -> Drained {
        let Fetching { batch, loops, by_workers } = fetching;
        let what = if by_workers { "work" } else { "drain" };
        self.told(vec![what.into(), url.into(), jobs.to_string(), batch.to_string(), loops.to_string()]).await
    }

    /// How long each job waited for its start, in milliseconds.
    pub async fn starts(&self, url: &str, rate: usize, seconds: usize, hearing: Hearing) -> Vec<f64> {
        let how = match hearing {
            Hearing::Polling => "polling",
            Hearing::Notify => "notify",
        };
        let arguments = vec!["starts".into(), url.into(), rate.to_string(), seconds.to_string(), how.into()];
        let Started { waits } = self.told(arguments).await;
        waits
    }

    async fn told<T: DeserializeOwned>(&self, arguments: Vec<String>) -> T {
        let mut node = Command::new("node");
        node.arg("peer.mjs").args(arguments).current_dir(&self.folder);
        let output = tokio::task::spawn_blocking(move || node.output()).await.expect("no panic");
        let output = output.expect("node is installed");
        assert!(output.status.success(), "pg-boss: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("pg-boss's script prints JSON")
    }
}
