//! PgBouncer in transaction mode in front of a cluster.

use std::fs;
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::Cluster;
use crate::machine::{find_program, free_port, give_to_ordinary_user, ordinary, temporary_folder};

/// A pooler that dies with its owner.
#[derive(Debug)]
pub struct Pooler {
    _folder: TempDir,
    port: u16,
    pid: Pid,
}

impl Pooler {
    pub fn in_front_of(cluster: &Cluster) -> Self {
        let folder = temporary_folder("bouncer");
        give_to_ordinary_user(folder.path());
        let port = free_port();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=pagefree\n[pgbouncer]\nlisten_addr=127.0.0.1\n\
             listen_port={port}\nunix_socket_dir=\nauth_type=any\npool_mode=transaction\ndefault_pool_size=4\n\
             max_client_conn=400\nserver_idle_timeout=5\nignore_startup_parameters=extra_float_digits\n",
            cluster.port()
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).expect("a settings file");
        let mut command = ordinary(&find_program("pgbouncer"));
        command.arg("-q").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let (started, pid) = mpsc::channel();
        std::thread::spawn(move || {
            let mut child = command.spawn().expect("pgbouncer runs");
            let _nobody_waits = started.send(Pid::from_raw(child.id().cast_signed()));
            let _status = child.wait();
        });
        let pooler = Self { _folder: folder, port, pid: pid.recv().expect("the thread tells the pid") };
        pooler.wait_until_it_listens();
        pooler
    }

    /// `url` through the pooler, marked as such.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://pagefree@127.0.0.1:{}/{database}?pgbouncer=true", self.port)
    }

    fn wait_until_it_listens(&self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "PgBouncer does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _already_gone = kill(self.pid, Signal::SIGKILL);
    }
}
