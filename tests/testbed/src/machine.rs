//! What this machine has: programs, ports, and an ordinary user to run servers as.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Uid, User};
use tempfile::TempDir;

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a local port");
    listener.local_addr().expect("its address").port()
}

/// A program on the PATH, or in the newest of Debian's PostgreSQL folders.
pub fn find_program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<PathBuf> = versions.flatten().map(|entry| entry.path().join("bin")).collect();
        versions.sort();
        folders.splice(0..0, versions.into_iter().rev());
    }
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("'{name}' is not installed; `make test` installs it, or says how"))
}

/// A folder for this process. What processes that were killed have left behind is removed first.
pub(crate) fn temporary_folder(purpose: &str) -> TempDir {
    let kind = format!("pagefree-{purpose}-");
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(&kind).and_then(|rest| rest.split('-').next());
        if let Some(owner) = owner.and_then(|owner| owner.parse::<u32>().ok())
            && !Path::new(&format!("/proc/{owner}")).exists()
        {
            let _somebody_else_did = std::fs::remove_dir_all(entry.path());
        }
    }
    let prefix = format!("{kind}{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir().expect("a temporary folder")
}

/// PostgreSQL refuses to run as root, so as root we drop to an ordinary user.
pub(crate) fn ordinary_user() -> Option<User> {
    if !Uid::effective().is_root() {
        return None;
    }
    ["postgres", "nobody"].iter().find_map(|name| User::from_name(name).ok().flatten())
}

/// As root, lets the ordinary user's servers write there.
pub fn give_to_ordinary_user(path: &Path) {
    if let Some(user) = ordinary_user() {
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("root may give a folder away");
    }
}

/// A command that runs as the ordinary user and dies with the thread that starts it.
pub(crate) fn ordinary(program: &Path) -> Command {
    let mut command = Command::new(find_program("setpriv"));
    command.args(["--pdeathsig", "KILL"]);
    if let Some(user) = ordinary_user() {
        command.args(["--reuid", &user.uid.to_string(), "--regid", &user.gid.to_string(), "--clear-groups"]);
    }
    command.arg("--").arg(program);
    command
}
