//! What is sealed opens as what it was sealed as, and as nothing else.

use domain::sealed::{BOX_CHARACTERS, Sealed};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::runtime::Handle;
use vault::{MasterKey, PLAIN_BYTES, Vault, VaultError};

use crate::bed::{Bed, on_both};

on_both!(
    what_is_sealed_opens,
    anything_that_fits_is_sealed_and_nothing_else_opens_it,
    envelopes_cannot_be_swapped,
    a_wrong_master_key_is_refused,
    keys_cannot_be_swapped_in_the_database,
    a_list_opens_with_what_can_be_opened,
    bounds_are_refused_with_their_numbers,
    an_index_finds_equal_texts_only,
    keys_without_their_ring_are_not_begun_anew,
);

fn is_damaged(opened: &Result<Option<String>, VaultError>) -> bool {
    matches!(opened, Err(VaultError::Damaged(_)))
}

async fn what_is_sealed_opens(bed: &Bed) {
    let sealed = bed.vault.seal("ada", "name", "Ada Lovelace").await.unwrap();
    assert_eq!((&*sealed.subject, sealed.key), ("ada", 1));
    assert_eq!(bed.vault.unseal(&sealed, "name").await.unwrap().as_deref(), Some("Ada Lovelace"));
    let again = bed.vault.seal("ada", "name", "Ada Lovelace").await.unwrap();
    assert!(again.nonce != sealed.nonce && again.sealed != sealed.sealed, "equal texts do not look alike");
    let elsewhere = bed.another_node().await;
    assert_eq!(elsewhere.unseal(&sealed, "name").await.unwrap().as_deref(), Some("Ada Lovelace"));
    assert!(!format!("{:?}", bed.vault).contains(&*bed.master.to_base64()));
}

async fn anything_that_fits_is_sealed_and_nothing_else_opens_it(bed: &Bed) {
    let vault = bed.vault.clone();
    let texts = (any::<String>(), "[a-z]{1,8}", "[a-z]{1,8}", any::<(u8, u8)>());
    tokio::task::spawn_blocking(move || {
        let mut runner =
            TestRunner::new(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() });
        let tried = runner.run(&texts, |(text, subject, field, at)| {
            Handle::current().block_on(one_case(&vault, &text, &subject, &field, at));
            Ok(())
        });
        tried.unwrap();
    })
    .await
    .unwrap();
}

async fn one_case(vault: &Vault, text: &str, subject: &str, field: &str, (at, flip): (u8, u8)) {
    let sealed = vault.seal(subject, field, text).await.unwrap();
    assert_eq!(vault.unseal(&sealed, field).await.unwrap().as_deref(), Some(text));
    assert!(is_damaged(&vault.unseal(&sealed, &format!("{field}x")).await));
    // One bit of the box or the nonce is another one.
    let mut changed = sealed.clone();
    let part = if at % 4 == 0 { &mut changed.nonce } else { &mut changed.sealed };
    let place = usize::from(at) % part.len();
    let old = part.as_bytes()[place];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let new = alphabet[usize::from(flip) % alphabet.len()];
    part.replace_range(place..=place, std::str::from_utf8(&[new]).unwrap());
    assert_eq!(vault.unseal(&changed, field).await.is_ok(), old == new, "{sealed:?}");
}

async fn envelopes_cannot_be_swapped(bed: &Bed) {
    let ada = bed.vault.seal("ada", "email", "ada@example.org").await.unwrap();
    let bob = bed.vault.seal("bob", "email", "bob@example.org").await.unwrap();
    assert_eq!(bed.vault.rotate_subject("ada").await.unwrap(), 2);
    let newer = bed.vault.seal("ada", "email", "ada@example.com").await.unwrap();
    assert_eq!(newer.key, 2);
    for (moved, field) in [
        (Sealed { subject: "bob".to_owned(), ..ada.clone() }, "email"),
        (Sealed { nonce: ada.nonce.clone(), sealed: ada.sealed.clone(), ..bob.clone() }, "email"),
        (Sealed { key: 2, ..ada.clone() }, "email"),
        (Sealed { key: 1, ..newer.clone() }, "email"),
        (Sealed { key: 3, ..newer.clone() }, "email"),
        (Sealed { nonce: bob.nonce.clone(), ..ada.clone() }, "email"),
        (Sealed { subject: "nobody".to_owned(), ..ada.clone() }, "email"),
        (ada.clone(), "phone"),
        (ada.clone(), ""),
    ] {
        let opened = bed.vault.unseal(&moved, field).await;
        assert!(is_damaged(&opened), "{moved:?} as {field}: {opened:?}");
    }
    for (sealed, expected) in [(&ada, "ada@example.org"), (&bob, "bob@example.org"), (&newer, "ada@example.com")] {
        assert_eq!(bed.vault.unseal(sealed, "email").await.unwrap().as_deref(), Some(expected), "control");
    }
}

async fn a_wrong_master_key_is_refused(bed: &Bed) {
    let other = MasterKey::draw().unwrap();
    let refusal = bed.node_with(&other).await.unwrap_err();
    assert!(matches!(refusal, VaultError::WrongMaster { .. }), "{refusal}");
    let text = refusal.to_string();
    for part in [bed.master.id(), other.id(), "PAGEFREE_MASTER_KEY"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains(&*other.to_base64()));
    bed.node_with(&bed.master).await.unwrap();
}

async fn keys_cannot_be_swapped_in_the_database(bed: &Bed) {
    let sealed = bed.vault.seal("ada", "email", "ada@example.org").await.unwrap();
    bed.vault.seal("eve", "email", "eve@example.org").await.unwrap();
    // Whoever writes to the database gives Eve the wrapped key of Ada, and opens Ada's envelope as hers.
    let ada = bed.store.register("vault_subject", "ada").await.unwrap().unwrap();
    let mut eve = bed.store.register("vault_subject", "eve").await.unwrap().unwrap();
    eve.value.clone_from(&ada.value);
    assert!(bed.store.set_register("vault_subject", &eve, None).await.unwrap());
    let node = bed.another_node().await;
    let stolen = Sealed { subject: "eve".to_owned(), ..sealed.clone() };
    assert!(is_damaged(&node.unseal(&stolen, "email").await));
    assert!(matches!(node.seal("eve", "email", "x").await, Err(VaultError::Damaged(_))), "nor is one sealed under it");
    assert_eq!(node.unseal(&sealed, "email").await.unwrap().as_deref(), Some("ada@example.org"));
}

async fn a_list_opens_with_what_can_be_opened(bed: &Bed) {
    let mut envelopes = Vec::new();
    for n in 0..40 {
        let (subject, field) = (format!("person {}", n % 20), if n < 20 { "name" } else { "email" });
        envelopes.push((bed.vault.seal(&subject, field, &n.to_string()).await.unwrap(), field));
    }
    bed.vault.erase("person 3").await.unwrap();
    let moved = envelopes[6].0.sealed.clone();
    envelopes[5].0.sealed.clone_from(&moved);
    let asked: Vec<(&Sealed, &str)> = envelopes.iter().map(|(sealed, field)| (sealed, *field)).collect();
    for vault in [&bed.vault, &bed.another_node().await] {
        let opened = vault.unseal_all(&asked).await.unwrap();
        assert_eq!(opened.len(), 40);
        for (n, opened) in opened.into_iter().enumerate() {
            match n {
                3 | 23 => assert_eq!(opened.unwrap(), None),
                5 => assert!(is_damaged(&opened)),
                _ => assert_eq!(opened.unwrap(), Some(n.to_string())),
            }
        }
    }
    assert!(bed.vault.unseal_all(&[]).await.unwrap().is_empty());
}

async fn bounds_are_refused_with_their_numbers(bed: &Bed) {
    let longest = "x".repeat(PLAIN_BYTES);
    let sealed = bed.vault.seal("ada", "name", &longest).await.unwrap();
    assert_eq!(sealed.sealed.len(), BOX_CHARACTERS);
    assert_eq!(bed.vault.unseal(&sealed, "name").await.unwrap(), Some(longest.clone()));
    let refusal = bed.vault.seal("ada", "name", &format!("{longest}y")).await.unwrap_err().to_string();
    assert!(refusal.contains(&PLAIN_BYTES.to_string()) && !refusal.contains("xx"), "{refusal}");
    for owner in ["", "a\0b", &"x".repeat(201)] {
        let refusal = bed.vault.seal(owner, "name", "Ada").await.unwrap_err();
        assert!(matches!(refusal, VaultError::OutOfBounds(_)), "{refusal}");
    }
}

async fn an_index_finds_equal_texts_only(bed: &Bed) {
    let index = bed.vault.blind("email", "ada@example.org");
    assert_eq!(index.len(), 43);
    assert_eq!(bed.another_node().await.blind("email", "ada@example.org"), index, "on every node");
    assert_ne!(bed.vault.blind("email", "ada@example.com"), index);
    assert_ne!(bed.vault.blind("phone", "ada@example.org"), index);
    assert_ne!(Bed::sqlite().await.vault.blind("email", "ada@example.org"), index, "of another database");
}

async fn keys_without_their_ring_are_not_begun_anew(bed: &Bed) {
    let ring = bed.store.register("vault_masters", "ring").await.unwrap().unwrap();
    assert!(bed.store.remove_register("vault_masters", "ring", ring.revision).await.unwrap());
    let refusal = bed.node_with(&bed.master).await.unwrap_err();
    assert!(matches!(&refusal, VaultError::Damaged(text) if text.contains("backup")), "{refusal}");
    assert!(bed.store.register("vault_masters", "ring").await.unwrap().is_none());
}
