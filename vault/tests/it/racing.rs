//! Two nodes that do the same thing at once.

use futures_util::future::join_all;
use storage::Store;
use storage::registers::Register;
use tokio::sync::Barrier;
use vault::VaultError;

use crate::bed::{Bed, on_both};

on_both!(a_first_key_is_made_once, rotations_and_erasures_at_once_end_in_order);

const ROUNDS: usize = 8;
const CALLERS: usize = 8;

async fn a_first_key_is_made_once(bed: &Bed) {
    let other = bed.another_node().await;
    let mut lost = 0;
    for round in 0..ROUNDS {
        let subject = format!("person {round}");
        let barrier = Barrier::new(CALLERS);
        let sealing = (0..CALLERS).map(|n| {
            let (vault, barrier, subject) = (if n % 2 == 0 { &bed.vault } else { &other }, &barrier, &subject);
            async move {
                barrier.wait().await;
                vault.seal(subject, "name", &n.to_string()).await.unwrap()
            }
        });
        let sealed = join_all(sealing).await;
        let fresh = bed.another_node().await;
        for (n, sealed) in sealed.iter().enumerate() {
            assert_eq!(sealed.key, 1);
            assert_eq!(fresh.unseal(sealed, "name").await.unwrap(), Some(n.to_string()));
        }
        lost += lost_by_the_last_writer(&bed.store, &subject).await;
    }
    assert!(lost > 0, "control: without comparing, of two first keys one is lost, and what it sealed");
}

/// How many callers believe in a first key that is not kept, where each writes without comparing.
async fn lost_by_the_last_writer(store: &Store, subject: &str) -> usize {
    let barrier = Barrier::new(CALLERS);
    let making = (0..CALLERS).map(|n| {
        let barrier = &barrier;
        async move {
            barrier.wait().await;
            if let Some(there) = store.register("naive", subject).await.unwrap() {
                return there.value;
            }
            barrier.wait().await;
            let mine = n.to_string();
            loop {
                let revision = store.register("naive", subject).await.unwrap().map_or(0, |there| there.revision);
                let register = Register { key: subject.to_owned(), value: mine.clone(), revision };
                if store.set_register("naive", &register, None).await.unwrap() {
                    return mine;
                }
            }
        }
    });
    let believed = join_all(making).await;
    let kept = store.register("naive", subject).await.unwrap().unwrap().value;
    believed.into_iter().filter(|key| *key != kept).count()
}

async fn rotations_and_erasures_at_once_end_in_order(bed: &Bed) {
    let other = bed.another_node().await;
    let first = bed.vault.seal("ada", "name", "Ada").await.unwrap();
    let rotating = (0..CALLERS).map(|n| (if n % 2 == 0 { &bed.vault } else { &other }).rotate_subject("ada"));
    let mut numbers: Vec<u32> = join_all(rotating).await.into_iter().map(Result::unwrap).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..2 + u32::try_from(CALLERS).unwrap()).collect::<Vec<_>>(), "each its own");
    assert_eq!(other.unseal(&first, "name").await.unwrap().as_deref(), Some("Ada"));

    let (rotated, erased) =
        tokio::join!(join_all((0..CALLERS).map(|_| other.rotate_subject("ada"))), bed.vault.erase("ada"));
    erased.unwrap();
    assert!(rotated.iter().all(|rotated| matches!(rotated, Ok(_) | Err(VaultError::Erased(_)))), "{rotated:?}");
    let fresh = bed.another_node().await;
    assert_eq!(fresh.unseal(&first, "name").await.unwrap(), None, "an erasure is the end");
    assert!(matches!(fresh.seal("ada", "name", "Ada").await, Err(VaultError::Erased(_))));
}
