//! Destroying a person's keys erases what was sealed for him, everywhere and for good.

use std::time::{Duration, Instant};

use vault::{REMEMBERED, VaultError};

use crate::bed::{Bed, holds, on_both};

on_both!(
    who_is_erased_is_so_at_once_here_and_soon_elsewhere,
    nothing_is_sealed_for_who_was_erased,
    who_had_no_key_can_be_erased_too,
    a_destroyed_key_is_nowhere_any_more,
);

async fn who_is_erased_is_so_at_once_here_and_soon_elsewhere(bed: &Bed) {
    let elsewhere = bed.another_node().await;
    let ada = bed.vault.seal("ada", "name", "Ada").await.unwrap();
    let bob = bed.vault.seal("bob", "name", "Bob").await.unwrap();
    assert_eq!(elsewhere.unseal(&ada, "name").await.unwrap().as_deref(), Some("Ada"), "and remembers the key");
    let erased_at = Instant::now();
    bed.vault.erase("ada").await.unwrap();
    assert_eq!(bed.vault.unseal(&ada, "name").await.unwrap(), None);
    assert_eq!(bed.another_node().await.unseal(&ada, "name").await.unwrap(), None);
    let text = "the key is forgotten elsewhere";
    testbed::eventually(text, async || elsewhere.unseal(&ada, "name").await.unwrap().is_none()).await;
    let took = erased_at.elapsed();
    assert!(took < REMEMBERED + Duration::from_secs(2), "{took:?}");
    for vault in [&bed.vault, &elsewhere] {
        assert_eq!(vault.unseal(&bob, "name").await.unwrap().as_deref(), Some("Bob"), "control");
    }
}

async fn nothing_is_sealed_for_who_was_erased(bed: &Bed) {
    bed.vault.seal("ada", "name", "Ada").await.unwrap();
    bed.vault.erase("ada").await.unwrap();
    bed.vault.erase("ada").await.unwrap();
    let node = bed.another_node().await;
    for vault in [&bed.vault, &node] {
        let refusal = vault.seal("ada", "name", "Ada").await.unwrap_err();
        assert!(matches!(&refusal, VaultError::Erased(who) if who == "ada"), "{refusal}");
        assert!(matches!(vault.rotate_subject("ada").await, Err(VaultError::Erased(_))));
    }
}

async fn who_had_no_key_can_be_erased_too(bed: &Bed) {
    bed.vault.erase("never seen").await.unwrap();
    assert!(matches!(bed.vault.seal("never seen", "name", "x").await, Err(VaultError::Erased(_))));
}

async fn a_destroyed_key_is_nowhere_any_more(bed: &Bed) {
    for subject in ["ada", "bob"] {
        bed.vault.seal(subject, "name", "x").await.unwrap();
        bed.vault.rotate_subject(subject).await.unwrap();
    }
    let wrapped = |value: &str| -> Vec<String> {
        let value: serde_json::Value = serde_json::from_str(value).unwrap();
        value["keys"].as_object().unwrap().values().map(|key| key["box"].as_str().unwrap().to_owned()).collect()
    };
    let ada = wrapped(&bed.store.register("vault_subject", "ada").await.unwrap().unwrap().value);
    let bob = wrapped(&bed.store.register("vault_subject", "bob").await.unwrap().unwrap().value);
    assert_eq!((ada.len(), bob.len()), (2, 2));
    bed.vault.erase("ada").await.unwrap();
    let everything = bed.everything().await;
    assert!(ada.iter().all(|key| !everything.contains(key)));
    assert!(bob.iter().all(|key| everything.contains(key)), "control");
    if let Some(files) = bed.files().await {
        assert!(ada.iter().all(|key| !holds(&files, key)), "not in a free corner of a page either");
        assert!(bob.iter().all(|key| holds(&files, key)), "control");
    }
}
