//! The binary under test: started as users start it, on a database of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use storage::{Config, Store};
use tempfile::TempDir;
use testbed::{Cluster, eventually};

use crate::client::Client;

/// Far beyond what a start or an end needs.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server.
pub(crate) struct Serving {
    folder: TempDir,
    /// Absent: the default, SQLite in the data directory.
    database: Option<String>,
    child: Child,
    /// Where it said that it listens.
    pub(crate) url: String,
    /// The token of a platform admin, made beside it at its first start.
    pub(crate) first_token: String,
    /// Everything that it wrote to standard output up to the line that says where it listens.
    pub(crate) greeting: String,
    errors: mpsc::Receiver<String>,
}

/// `pagefree` without anything of this process's environment that would steer it.
pub(crate) fn pagefree(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pagefree"));
    for name in [
        "LISTEN",
        "DATABASE_URL",
        "DATA_DIR",
        "PUBLIC_URL",
        "MIGRATION_DATABASE_URL",
        "MASTER_KEY",
        "TRUSTED_PROXIES",
        "LOG",
    ] {
        command.env_remove(format!("PAGEFREE_{name}"));
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

impl Serving {
    pub(crate) async fn on_sqlite() -> Self {
        let started =
            tokio::task::spawn_blocking(|| Self::start(tempfile::tempdir().unwrap(), None, None)).await.unwrap();
        started.ready().await
    }

    pub(crate) async fn on_postgres() -> Self {
        let cluster = tokio::task::spawn_blocking(Cluster::shared).await.unwrap();
        Self::on(&cluster.database().await).await
    }

    pub(crate) async fn on(database: &str) -> Self {
        let database = Some(database.to_owned());
        let started =
            tokio::task::spawn_blocking(|| Self::start(tempfile::tempdir().unwrap(), database, None)).await.unwrap();
        started.ready().await
    }

    /// Its views follow the log.
    async fn ready(self) -> Self {
        let anonymous = self.anonymous();
        eventually("it is ready", || async { anonymous.get("/readyz").await.status == 200 }).await;
        self
    }

    /// Its database, opened beside it.
    pub(crate) async fn store(&self) -> Store {
        let sqlite = || format!("sqlite:{}", self.data().join("pagefree.db").display());
        Store::open(&Config::new(self.database.clone().unwrap_or_else(sqlite))).await.unwrap()
    }

    fn start(folder: TempDir, database: Option<String>, known: Option<String>) -> Self {
        let mut command = pagefree(folder.path());
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        if let Some(url) = &database {
            command.env("PAGEFREE_DATABASE_URL", url);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let errors = follow(child.stderr.take().unwrap());
        let mut greeting = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let url = loop {
            let begin = greeting.len();
            if out.read_line(&mut greeting).unwrap() == 0 {
                let _gone = child.wait();
                panic!("it ended: {greeting}{}", errors.try_iter().collect::<String>());
            }
            if let Some(url) = greeting[begin..].trim().strip_prefix("listening on ") {
                break url.to_owned();
            }
        };
        let mut serving = Self { folder, database, child, url, first_token: String::new(), greeting, errors };
        serving.first_token = known.unwrap_or_else(|| serving.token("platform_admin"));
        serving
    }

    /// Where it was started, with the data directory in it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// As the platform admin of the first start.
    pub(crate) fn admin(&self) -> Client {
        Client::new(&self.url, Some(&self.first_token))
    }

    pub(crate) fn anonymous(&self) -> Client {
        Client::new(&self.url, None)
    }

    /// As somebody new of this role. Made by the command line beside the server.
    pub(crate) fn somebody(&self, role: &str) -> Client {
        Client::new(&self.url, Some(&self.token(role)))
    }

    /// A new token of this role.
    pub(crate) fn token(&self, role: &str) -> String {
        let made = self.run(&["token", "create", "--name", "somebody", "--role", role]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    /// Another subcommand on the same database.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = pagefree(self.folder());
        command.args(arguments);
        if let Some(url) = &self.database {
            command.env("PAGEFREE_DATABASE_URL", url);
        }
        command.output().unwrap()
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// How it ended, once it has.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let begun = std::time::Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Stops it with `signal` and starts it again on the same data.
    pub(crate) async fn restarted(mut self, signal: Signal) -> Self {
        self.signal(signal);
        self.ended().await;
        let Self { folder, database, first_token, .. } = &mut self;
        let folder = std::mem::replace(folder, tempfile::tempdir().unwrap());
        let (database, token) = (database.take(), std::mem::take(first_token));
        tokio::task::spawn_blocking(|| Self::start(folder, database, Some(token))).await.unwrap().ready().await
    }

    /// What it has logged since this was last asked.
    pub(crate) fn log(&self) -> String {
        self.errors.try_iter().collect()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Reads a pipe to its end, so that nobody ever blocks on writing to it.
fn follow(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (lines, read) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let _nobody_reads = lines.send(format!("{line}\n"));
        }
    });
    read
}
