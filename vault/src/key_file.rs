//! The key file: where the master key is kept when nobody brings one in the environment.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::{MasterKey, VaultError};

/// Bytes that are read of a key file at most; a key has 45 with its line end.
const BYTES: u64 = 1_024;
const MODE: u32 = 0o600;

/// What a key file held, and what whoever starts the program should hear of it.
#[derive(Debug)]
pub struct KeyFile {
    pub key: MasterKey,
    /// There was none, and one was made.
    pub made: bool,
    /// Why others than the owner may read it, if they may.
    pub warning: Option<String>,
}

impl KeyFile {
    /// Reads the file, or makes it with a fresh key. Two processes that begin at once read the same key.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        let made = if path.exists() { false } else { make(path).map_err(|error| unusable(path, &error))? };
        let (text, permissions) = read(path).map_err(|error| unusable(path, &error))?;
        let key = MasterKey::from_base64(&text)
            .map_err(|error| VaultError::Master(format!("the key file {} is damaged: {error}", path.display())))?;
        let warning = (permissions & 0o077 != 0).then(|| {
            format!(
                "others may read the master key: {} has mode {:04o}; `chmod 600` it, and if somebody did, rotate the key",
                path.display(),
                permissions & 0o7777
            )
        });
        Ok(Self { key, made, warning })
    }
}

/// Says whether it was this call that made it. The key is whole on the disk before the file has its name: a crash leaves
/// no half of one, and whoever links second finds the first.
fn make(path: &Path) -> io::Result<bool> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let key = MasterKey::draw().map_err(io::Error::other)?;
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}", key.id()));
    let draft = folder.join(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&draft)?;
    let written = file
        .write_all(Zeroizing::new(format!("{}\n", &*key.to_base64())).as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    File::open(folder)?.sync_all()?;
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn read(path: &Path) -> io::Result<(Zeroizing<String>, u32)> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    let mut text = Zeroizing::new(String::new());
    io::Read::read_to_string(&mut io::Read::take(file, BYTES), &mut text)?;
    Ok((text, mode))
}

fn unusable(path: &Path, error: &io::Error) -> VaultError {
    VaultError::Master(format!(
        "the key file {} cannot be used: {error}; make it readable and writable for this user, or set \
         PAGEFREE_MASTER_KEY",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/master.key");
        let first = KeyFile::open(&path).unwrap();
        assert!(first.made && first.warning.is_none());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        let second = KeyFile::open(&path).unwrap();
        assert_eq!((second.key, second.made), (first.key, false));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn whoever_begins_at_once_reads_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let openers: Vec<_> = (0..16).map(|_| path.clone()).collect();
        let opened: Vec<KeyFile> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                openers.iter().map(|path| scope.spawn(move || KeyFile::open(path).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(opened.iter().all(|file| file.key == opened[0].key));
        assert_eq!(opened.iter().filter(|file| file.made).count(), 1);
    }

    #[test]
    fn a_file_that_others_may_read_is_used_with_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let key = KeyFile::open(&path).unwrap().key;
        for (mode, warned) in [(0o400, false), (0o640, true), (0o604, true), (0o644, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let file = KeyFile::open(&path).unwrap();
            assert_eq!(file.key, key);
            assert_eq!(file.warning.as_ref().is_some_and(|text| text.contains(&format!("{mode:04o}"))), warned);
        }
    }

    #[test]
    fn a_damaged_or_impossible_file_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        for text in ["", "half a k"] {
            fs::write(&path, text).unwrap();
            let refusal = KeyFile::open(&path).unwrap_err().to_string();
            assert!(refusal.contains("master.key is damaged"), "{refusal}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "it is not replaced");
        }
        let under_a_file = KeyFile::open(&path.join("master.key")).unwrap_err().to_string();
        assert!(under_a_file.contains("PAGEFREE_MASTER_KEY"), "{under_a_file}");
    }
}
