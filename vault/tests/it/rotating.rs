//! The master key is changed while nodes run, and a change that was cut short goes on.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::sealed::Sealed;
use tokio::time::timeout;
use vault::{MasterKey, Rewrapped, Vault, VaultError};

use crate::bed::{Bed, on_both};

on_both!(
    a_new_master_key_takes_over_while_nodes_run,
    a_rotation_that_was_cut_short_goes_on,
    what_a_slow_node_wrapped_by_the_old_key_opens,
    rotations_come_one_after_the_other,
);

/// People whose keys are rewrapped: more than are read at once.
const PEOPLE: usize = 230;

async fn sealed_for_many(vault: &Vault) -> Vec<Sealed> {
    let mut sealed = Vec::new();
    for n in 0..PEOPLE {
        sealed.push(vault.seal(&format!("person {n}"), "name", &n.to_string()).await.unwrap());
    }
    sealed
}

async fn assert_all_open(vault: &Vault, sealed: &[Sealed]) {
    let asked: Vec<(&Sealed, &str)> = sealed.iter().map(|sealed| (sealed, "name")).collect();
    for (n, opened) in vault.unseal_all(&asked).await.unwrap().into_iter().enumerate() {
        assert_eq!(opened.unwrap(), Some(n.to_string()));
    }
}

/// The ids of the master keys under which any key is.
async fn wrapped_by(bed: &Bed) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for kind in ["vault_subject", "vault_blind", "vault_secret", "vault_signing"] {
        for register in bed.store.registers(kind, "", 1_000).await.unwrap() {
            let value: serde_json::Value = serde_json::from_str(&register.value).unwrap();
            let keys = value["keys"].as_object().into_iter().flat_map(|keys| keys.values());
            ids.extend(keys.map(|key| key["by"].as_str().unwrap().to_owned()));
        }
    }
    ids
}

async fn a_new_master_key_takes_over_while_nodes_run(bed: &Bed) {
    let sealed = sealed_for_many(&bed.vault).await;
    let index = bed.vault.blind("email", "ada@example.org");
    let (old, new) = (&bed.master, MasterKey::draw().unwrap());
    let running = bed.another_node().await;
    assert!(bed.node_with(&new).await.is_err(), "not yet");

    let done = bed.vault.rotate_master(&new).await.unwrap();
    assert_eq!(done, Rewrapped { owners: PEOPLE as u64 + 1 });
    assert_eq!(wrapped_by(bed).await, [new.id().to_owned()].into());
    assert_eq!(bed.vault.master_id().unwrap(), new.id());
    for vault in [&bed.vault, &running, &bed.node_with(old).await.unwrap(), &bed.node_with(&new).await.unwrap()] {
        assert_all_open(vault, &sealed).await;
        assert_eq!(vault.blind("email", "ada@example.org"), index);
        vault.seal("person 0", "name", "0").await.unwrap();
    }

    assert_eq!(bed.vault.retire_old_master().await.unwrap(), Rewrapped { owners: 0 });
    let refusal = bed.node_with(old).await.unwrap_err();
    assert!(matches!(&refusal, VaultError::RetiredMaster { wanted, .. } if wanted == new.id()), "{refusal}");
    assert!(matches!(bed.node_with(&MasterKey::draw().unwrap()).await, Err(VaultError::WrongMaster { .. })));
    assert_all_open(&bed.node_with(&new).await.unwrap(), &sealed).await;
    assert_all_open(&running, &sealed).await;
    assert_eq!(bed.vault.rotate_master(&new).await.unwrap(), Rewrapped { owners: 0 }, "twice is once");
}

/// What a crash leaves: the ring is handed over, and some of the keys are rewrapped.
async fn a_rotation_that_was_cut_short_goes_on(bed: &Bed) {
    let sealed = sealed_for_many(&bed.vault).await;
    let (old, new) = (&bed.master, MasterKey::draw().unwrap());
    let crashing = bed.another_node().await;
    for patience in [1, 4, 16, 64] {
        // Dropped in the middle, wherever that is.
        let _cut_short = timeout(Duration::from_millis(patience), crashing.rotate_master(&new)).await;
        assert_all_open(&bed.node_with(old).await.unwrap(), &sealed).await;
        if wrapped_by(bed).await.contains(new.id()) {
            assert_all_open(&bed.node_with(&new).await.unwrap(), &sealed).await;
        }
    }
    let resumed = bed.node_with(old).await.unwrap();
    resumed.rotate_master(&new).await.unwrap();
    assert_eq!(wrapped_by(bed).await, [new.id().to_owned()].into());
    assert_all_open(&bed.node_with(&new).await.unwrap(), &sealed).await;
}

async fn what_a_slow_node_wrapped_by_the_old_key_opens(bed: &Bed) {
    // It has not read anything since, and does not know of the rotation.
    let slow = bed.another_node().await;
    let new = MasterKey::draw().unwrap();
    bed.vault.rotate_master(&new).await.unwrap();
    let sealed = slow.seal("late", "name", "0").await.unwrap();
    assert_eq!(wrapped_by(bed).await.len(), 2, "the case is there");
    assert_all_open(&bed.node_with(&new).await.unwrap(), std::slice::from_ref(&sealed)).await;
    assert_eq!(bed.vault.retire_old_master().await.unwrap(), Rewrapped { owners: 1 });
    assert_eq!(wrapped_by(bed).await, [new.id().to_owned()].into());

    let slower = slow.seal("later", "name", "0").await.unwrap();
    let node = bed.node_with(&new).await.unwrap();
    for sealed in [sealed, slower] {
        assert_all_open(&node, &[sealed]).await;
    }
}

async fn rotations_come_one_after_the_other(bed: &Bed) {
    let sealed = sealed_for_many(&bed.vault).await;
    let [second, third] = [MasterKey::draw().unwrap(), MasterKey::draw().unwrap()];
    bed.vault.rotate_master(&second).await.unwrap();
    let refusal = bed.vault.rotate_master(&third).await.unwrap_err();
    assert!(matches!(&refusal, VaultError::Rotation(text) if text.contains("has not ended")), "{refusal}");
    bed.vault.retire_old_master().await.unwrap();
    bed.vault.rotate_master(&third).await.unwrap();
    bed.vault.retire_old_master().await.unwrap();
    assert_eq!(wrapped_by(bed).await, [third.id().to_owned()].into());
    for replaced in [&bed.master, &second] {
        assert!(matches!(bed.node_with(replaced).await, Err(VaultError::RetiredMaster { .. })));
        let refusal = bed.vault.rotate_master(replaced).await.unwrap_err();
        assert!(matches!(&refusal, VaultError::Rotation(text) if text.contains("fresh")), "{refusal}");
    }
    assert_all_open(&bed.node_with(&third).await.unwrap(), &sealed).await;
}
