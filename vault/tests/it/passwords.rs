//! Passwords are kept so that neither the database nor the clock tells anything about them.

use std::time::{Duration, Instant};

use storage::registers::Register;
use vault::VaultError;
use vault::passwords::{Cost, PasswordError, Passwords, Weakness};

use crate::bed::{Bed, holds, on_both};

on_both!(
    a_password_is_right_or_wrong,
    a_weak_password_is_refused_with_every_reason,
    nobody_is_told_by_the_clock_who_has_a_password,
    what_was_hashed_cheaply_is_hashed_anew,
    a_password_cannot_be_moved_to_somebody_else,
    no_trace_of_a_password_is_kept,
);

const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
const GOOD: &str = "seven ducks on a piano";

async fn cheap(bed: &Bed) -> Passwords {
    Passwords::open_at(&bed.vault, CHEAP).await.unwrap()
}

async fn a_password_is_right_or_wrong(bed: &Bed) {
    let passwords = cheap(bed).await;
    passwords.set("ada", GOOD, &["Ada Lovelace"]).await.unwrap();
    let node = Passwords::open_at(&bed.another_node().await, CHEAP).await.unwrap();
    for passwords in [&passwords, &node] {
        assert!(passwords.verify("ada", GOOD).await.unwrap());
        for wrong in ["", "seven ducks on a Piano", "seven ducks on a piano ", &"x".repeat(1 << 20)] {
            assert!(!passwords.verify("ada", wrong).await.unwrap());
        }
        assert!(!passwords.verify("bob", GOOD).await.unwrap());
        assert!(!passwords.verify("", GOOD).await.unwrap());
    }
    passwords.set("ada", "ｅｉｇｈｔ ducks é", &[]).await.unwrap();
    assert!(!node.verify("ada", GOOD).await.unwrap(), "the old one is none any more");
    assert!(node.verify("ada", "eight ducks e\u{301}").await.unwrap(), "typed on another keyboard");
    assert!(passwords.has_one("ada").await.unwrap());
    passwords.remove("ada").await.unwrap();
    passwords.remove("ada").await.unwrap();
    assert!(!passwords.has_one("ada").await.unwrap());
    assert!(!node.verify("ada", "eight ducks é").await.unwrap());
}

async fn a_weak_password_is_refused_with_every_reason(bed: &Bed) {
    let passwords = cheap(bed).await;
    passwords.set("ada", GOOD, &[]).await.unwrap();
    let refusal = passwords.set("ada", "lovelace1", &["Ada Lovelace"]).await.unwrap_err();
    let PasswordError::Weak(reasons) = &refusal else { panic!("{refusal}") };
    assert_eq!(*reasons, [Weakness::Personal, Weakness::Guessable]);
    assert!(!refusal.to_string().contains("lovelace"), "{refusal}");
    assert!(passwords.verify("ada", GOOD).await.unwrap(), "the one before stays");
}

async fn timed(passwords: &Passwords, user: &str) -> Duration {
    let started = Instant::now();
    assert!(!passwords.verify(user, "another one than that").await.unwrap());
    started.elapsed()
}

/// Compared are the fastest answers of all so far: what the machine does besides only makes some slower, so that those of
/// equal work come close to each other in the end, and those of unequal work never do.
async fn nobody_is_told_by_the_clock_who_has_a_password(bed: &Bed) {
    let passwords = Passwords::open(&bed.vault).await.unwrap();
    passwords.set("ada", GOOD, &[]).await.unwrap();
    let (mut known, mut unknown, mut missing) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..300 {
        known = known.min(timed(&passwords, "ada").await);
        unknown = unknown.min(timed(&passwords, "nobody").await);
        // Control: without the decoy an unknown account would be answered when its register is found missing.
        let started = Instant::now();
        assert!(bed.store.register("password", "nobody").await.unwrap().is_none());
        missing = missing.min(started.elapsed());
        if known.abs_diff(unknown) < known / 5 {
            break;
        }
    }
    assert!(known.abs_diff(unknown) < known / 5, "{known:?} for a known account, {unknown:?} for an unknown one");
    assert!(known.abs_diff(missing) > known / 2, "{known:?} for a known account, {missing:?} without the decoy");
}

async fn what_was_hashed_cheaply_is_hashed_anew(bed: &Bed) {
    let cheap = cheap(bed).await;
    cheap.set("ada", GOOD, &[]).await.unwrap();
    let before = bed.store.register("password", "ada").await.unwrap().unwrap();
    assert!(cheap.verify("ada", GOOD).await.unwrap());
    let dearer = Passwords::open_at(&bed.vault, Cost { passes: 2, ..CHEAP }).await.unwrap();
    assert!(!dearer.verify("ada", "another one than that").await.unwrap());
    assert_eq!(bed.store.register("password", "ada").await.unwrap().unwrap(), before, "not without the right one");
    assert!(dearer.verify("ada", GOOD).await.unwrap());
    let after = bed.store.register("password", "ada").await.unwrap().unwrap();
    assert_eq!(after.revision, before.revision + 1);
    assert!(dearer.verify("ada", GOOD).await.unwrap() && cheap.verify("ada", GOOD).await.unwrap());
    assert_eq!(bed.store.register("password", "ada").await.unwrap().unwrap(), after, "once");
}

async fn a_password_cannot_be_moved_to_somebody_else(bed: &Bed) {
    let passwords = cheap(bed).await;
    passwords.set("eve", GOOD, &[]).await.unwrap();
    // Whoever writes to the database gives the admin Eve's password.
    let eve = bed.store.register("password", "eve").await.unwrap().unwrap();
    let admin = Register { key: "admin".to_owned(), value: eve.value, revision: 0 };
    assert!(bed.store.set_register("password", &admin, None).await.unwrap());
    let refused = passwords.verify("admin", GOOD).await;
    assert!(matches!(refused, Err(PasswordError::Vault(VaultError::Damaged(_)))), "{refused:?}");
    assert!(passwords.verify("eve", GOOD).await.unwrap(), "control");
}

async fn no_trace_of_a_password_is_kept(bed: &Bed) {
    cheap(bed).await.set("ada", GOOD, &[]).await.unwrap();
    let (everything, files) = (bed.everything().await, bed.files().await);
    for trace in [GOOD, "argon2", "ducks"] {
        assert!(!everything.contains(trace), "{trace}");
        assert!(files.as_ref().is_none_or(|files| !holds(files, trace)), "{trace}");
    }
    assert!(everything.contains("password"), "control: the register's kind is found");
}
