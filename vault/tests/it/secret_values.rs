//! Secrets that are opened again, and keys of backups.

use domain::sealed::Sealed;
use vault::{MasterKey, SECRET_BYTES, VaultError};

use crate::bed::{Bed, on_both};

on_both!(a_secret_opens_as_itself, a_backup_opens_with_the_master_key_alone);

async fn a_secret_opens_as_itself(bed: &Bed) {
    let value = vec![0xff; SECRET_BYTES];
    let sealed = bed.vault.seal_secret("deploy key", "private", &value).await.unwrap();
    assert_eq!(*bed.another_node().await.unseal_secret(&sealed, "private").await.unwrap().unwrap(), value);
    assert!(matches!(bed.vault.unseal_secret(&sealed, "public").await, Err(VaultError::Damaged(_))));
    let refusal = bed.vault.seal_secret("deploy key", "private", &vec![0; SECRET_BYTES + 1]).await.unwrap_err();
    assert!(refusal.to_string().contains("65536"), "{refusal}");
    assert!(matches!(bed.vault.seal_secret("s", &"x".repeat(301), b"x").await, Err(VaultError::OutOfBounds(_))));

    // A person of the same id has other keys.
    let person = bed.vault.seal("deploy key", "private", "x").await.unwrap();
    assert!(matches!(bed.vault.unseal_secret(&person, "private").await, Err(VaultError::Damaged(_))));
    assert_eq!(bed.vault.rotate_secret("deploy key").await.unwrap(), 2);
    let newer = bed.vault.seal_secret("deploy key", "private", b"new").await.unwrap();
    let swapped = Sealed { key: 1, ..newer.clone() };
    assert!(matches!(bed.vault.unseal_secret(&swapped, "private").await, Err(VaultError::Damaged(_))));
    bed.vault.erase_secret("deploy key").await.unwrap();
    for sealed in [&sealed, &newer] {
        assert!(bed.vault.unseal_secret(sealed, "private").await.unwrap().is_none());
    }
    assert_eq!(bed.vault.unseal(&person, "private").await.unwrap().as_deref(), Some("x"));
}

async fn a_backup_opens_with_the_master_key_alone(bed: &Bed) {
    let drawn = bed.vault.draw_backup_key("monday").unwrap();
    assert_eq!(bed.master.open_backup_key("monday", &drawn.header).unwrap().bytes(), drawn.bytes());
    assert_ne!(bed.vault.draw_backup_key("monday").unwrap().bytes(), drawn.bytes(), "each has its own");
    for (backup, header) in [("tuesday", &*drawn.header), ("monday", "{}"), ("monday", "")] {
        assert!(matches!(bed.master.open_backup_key(backup, header), Err(VaultError::Damaged(_))));
    }
    let other = MasterKey::draw().unwrap();
    assert!(matches!(other.open_backup_key("monday", &drawn.header), Err(VaultError::WrongMaster { .. })));
    assert!(!format!("{drawn:?}").contains(&format!("{:?}", &drawn.bytes()[..4])));

    bed.vault.rotate_master(&other).await.unwrap();
    bed.vault.retire_old_master().await.unwrap();
    let opened = bed.node_with(&other).await.unwrap().open_backup_key("monday", &drawn.header).unwrap();
    assert_eq!(opened.bytes(), drawn.bytes(), "also after the master key was changed");
}
