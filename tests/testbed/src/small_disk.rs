//! A disk that is soon full: a tmpfs of some megabytes, unmounted when its owner goes, also in a panic.

use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::Uid;
use tempfile::TempDir;

use crate::machine::{find_program, give_to_ordinary_user, temporary_folder};

#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// None, with a word about it, where nobody may mount: only root can.
    pub fn mount(megabytes: u32) -> Option<Self> {
        if !Uid::effective().is_root() {
            eprintln!("not shown here: a small disk is a tmpfs, and only root may mount one");
            return None;
        }
        let folder = temporary_folder("disk");
        let mounted = run("mount", &["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "pagefree"], folder.path());
        if !mounted {
            eprintln!("not shown here: this machine lets not even root mount a tmpfs");
            return None;
        }
        give_to_ordinary_user(folder.path());
        Some(Self { folder })
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub fn resize(&self, megabytes: u32) {
        let resized = run("mount", &["-o", &format!("remount,size={megabytes}m")], self.folder.path());
        assert!(resized, "the disk is resized");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file open there keeps it until he closes it.
        let _unmounted = run("umount", &["--lazy"], self.folder.path());
    }
}

fn run(program: &str, arguments: &[&str], path: &Path) -> bool {
    Command::new(find_program(program)).args(arguments).arg(path).status().is_ok_and(|status| status.success())
}
