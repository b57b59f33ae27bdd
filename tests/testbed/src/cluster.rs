//! A PostgreSQL cluster of the tests' own, which they may kill.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

use crate::machine::{find_program, free_port, give_to_ordinary_user, ordinary, temporary_folder};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing is flushed: for tests that do not crash the server.
    None,
    /// As in production.
    Full,
    /// The control of the crash tests: commits are acknowledged before they are flushed, and flushed late.
    Asynchronous,
}

impl Durability {
    fn settings(self) -> &'static [&'static str] {
        match self {
            Self::None => &["fsync=off", "synchronous_commit=off", "full_page_writes=off"],
            Self::Full => &["fsync=on", "synchronous_commit=on"],
            Self::Asynchronous => &["fsync=on", "synchronous_commit=off", "wal_writer_delay=10s", "wal_buffers=64MB"],
        }
    }
}

/// A cluster whose postmaster is a child of this process and dies with it.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    port: u16,
    durability: Durability,
    postmaster: Mutex<Option<Postmaster>>,
    databases: AtomicU32,
}

#[derive(Debug)]
struct Postmaster {
    pid: Pid,
    exited: mpsc::Receiver<()>,
}

impl Cluster {
    /// The one that the ordinary tests of this process share, each in a database of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Durability::None))
    }

    pub fn start(durability: Durability) -> Self {
        Self::made(durability, "initdb", |command, data| {
            command.args(["--username=pagefree", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]);
            command.arg("-D").arg(data);
        })
    }

    /// A standby that follows this cluster until it is promoted.
    #[must_use]
    pub fn standby(&self) -> Self {
        let port = self.port.to_string();
        Self::made(self.durability, "pg_basebackup", |command, data| {
            command.args([
                "--host=127.0.0.1",
                "--port",
                &port,
                "--username=pagefree",
                "--checkpoint=fast",
                "--no-sync",
            ]);
            command.args(["--write-recovery-conf", "--wal-method=stream", "-D"]).arg(data);
        })
    }

    /// A cluster whose data `program` makes.
    fn made(durability: Durability, program: &str, arguments: impl FnOnce(&mut Command, &Path)) -> Self {
        let folder = temporary_folder("pg");
        give_to_ordinary_user(folder.path());
        let mut command = ordinary(&find_program(program));
        arguments(&mut command, &folder.path().join("data"));
        let made = command.current_dir(folder.path()).stdout(Stdio::null()).output().expect("the program runs");
        assert!(made.status.success(), "{program}: {}", String::from_utf8_lossy(&made.stderr));
        let cluster =
            Self { folder, port: free_port(), durability, postmaster: Mutex::new(None), databases: AtomicU32::new(0) };
        cluster.run();
        cluster
    }

    /// Makes a standby the primary, and returns when it is.
    pub async fn promote(&self) {
        self.execute("postgres", "SELECT pg_promote(wait => true)").await;
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The postmaster's process.
    pub fn pid(&self) -> i32 {
        self.slot().as_ref().map(|postmaster| postmaster.pid.as_raw()).expect("it runs")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://pagefree@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of a new, empty database.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute("postgres", &format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    /// Runs statements in `database` as its superuser.
    pub async fn execute(&self, database: &str, sql: &str) {
        let mut connection = PgConnection::connect(&self.url(database)).await.expect("the cluster is up");
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        connection.execute(sql).await.expect("a statement of the test's own");
    }

    /// kill -9 of the postmaster; its children notice and go.
    pub fn kill(&self) {
        let postmaster = self.slot().take();
        if let Some(Postmaster { pid, exited }) = postmaster {
            kill(pid, Signal::SIGKILL).expect("the postmaster is our child");
            exited.recv().expect("its thread waits for it");
        }
    }

    /// Starts the postmaster again after `kill`, and returns when it answers.
    pub fn run(&self) {
        let begun = Instant::now();
        loop {
            let postmaster = self.spawn();
            if self.answers(&postmaster, begun) {
                *self.slot() = Some(postmaster);
                return;
            }
            // Orphans of a killed postmaster hold the shared memory for a moment.
            assert!(begun.elapsed() < Duration::from_mins(1), "PostgreSQL does not start:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Postmaster>> {
        self.postmaster.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The child dies with the thread that starts it, so that thread does nothing but wait for it.
    fn spawn(&self) -> Postmaster {
        let log = File::options().create(true).append(true).open(self.log_file()).expect("a log file");
        let mut command = ordinary(&find_program("postgres"));
        command.arg("-D").arg(self.folder.path().join("data"));
        let settings = [
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            "max_connections=200".to_owned(),
            "shared_buffers=256MB".to_owned(),
            "max_wal_size=4GB".to_owned(),
            "restart_after_crash=on".to_owned(),
        ];
        for setting in settings.iter().map(String::as_str).chain(self.durability.settings().iter().copied()) {
            command.args(["-c", setting]);
        }
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let (started, pid) = mpsc::channel();
        let (exit, exited) = mpsc::channel();
        std::thread::spawn(move || {
            let mut child: Child = command.spawn().expect("postgres runs");
            let _nobody_waits = started.send(Pid::from_raw(child.id().cast_signed()));
            let _status = child.wait();
            let _nobody_waits = exit.send(());
        });
        Postmaster { pid: pid.recv().expect("the thread tells the pid"), exited }
    }

    /// Whether the server accepts connections before it exits.
    fn answers(&self, postmaster: &Postmaster, begun: Instant) -> bool {
        let ready = find_program("pg_isready");
        while begun.elapsed() < Duration::from_mins(1) {
            if postmaster.exited.try_recv().is_ok() {
                return false;
            }
            let port = self.port.to_string();
            let status = std::process::Command::new(&ready)
                .args(["-q", "-h", "127.0.0.1", "-p", &port, "-d", "postgres", "-U", "pagefree"])
                .status();
            if status.is_ok_and(|status| status.success()) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}
