//! Registers: changed only by whoever knows their present revision, gone when they expire.

use std::time::Duration;

use futures_util::future::join_all;
use storage::registers::Register;

use crate::bed::{Bed, everywhere};
use crate::commands::{HOUR, committed, keyed, on};

everywhere!(
    a_register_changes_from_a_known_revision_only,
    an_expired_register_is_none,
    one_of_many_changes_wins,
    registers_are_listed_in_pages,
    some_of_many_are_read_at_once,
    a_sweep_removes_what_has_expired_and_nothing_else,
);

fn register(key: &str, value: &str, revision: u64) -> Register {
    Register { key: key.to_owned(), value: value.to_owned(), revision }
}

async fn a_register_changes_from_a_known_revision_only(bed: &Bed) {
    let store = &bed.store;
    assert_eq!(store.register("token", "k").await.unwrap(), None);
    assert!(!store.set_register("token", &register("k", "1", 1), None).await.unwrap(), "there is none to change");
    assert!(store.set_register("token", &register("k", " {\"a\": 1}", 0), None).await.unwrap());
    assert!(!store.set_register("token", &register("k", "2", 0), None).await.unwrap(), "there is one already");
    assert_eq!(store.register("token", "k").await.unwrap(), Some(register("k", " {\"a\": 1}", 1)));
    assert!(store.set_register("token", &register("k", "2", 1), Some(HOUR)).await.unwrap());
    assert!(!store.set_register("token", &register("k", "3", 1), None).await.unwrap());
    assert_eq!(store.register("token", "k").await.unwrap(), Some(register("k", "2", 2)));
    assert_eq!(store.register("another kind", "k").await.unwrap(), None);

    assert!(!store.remove_register("token", "k", 1).await.unwrap());
    assert!(store.remove_register("token", "k", 2).await.unwrap());
    assert!(!store.remove_register("token", "k", 2).await.unwrap());
    assert_eq!(store.register("token", "k").await.unwrap(), None);
    assert!(store.set_register("token", &register("k", "{", 0), None).await.is_err(), "a value is JSON");
}

async fn an_expired_register_is_none(bed: &Bed) {
    let store = &bed.store;
    assert!(store.set_register("session", &register("k", "1", 0), Some(Duration::ZERO)).await.unwrap());
    assert_eq!(store.register("session", "k").await.unwrap(), None);
    assert_eq!(store.registers("session", "", 9).await.unwrap(), []);
    assert!(!store.set_register("session", &register("k", "2", 1), None).await.unwrap(), "it cannot be revived");
    assert!(store.set_register("session", &register("k", "3", 0), None).await.unwrap());
    assert_eq!(store.register("session", "k").await.unwrap(), Some(register("k", "3", 2)));
}

async fn one_of_many_changes_wins(bed: &Bed) {
    assert!(bed.store.set_register("counter", &register("k", "0", 0), None).await.unwrap());
    for revision in 1..=5 {
        let changes = (0..10).map(|n| {
            let changed = register("k", &n.to_string(), revision);
            async move { bed.store.set_register("counter", &changed, None).await.unwrap() }
        });
        assert_eq!(join_all(changes).await.into_iter().filter(|changed| *changed).count(), 1);
    }
    assert_eq!(bed.store.register("counter", "k").await.unwrap().unwrap().revision, 6);
}

async fn registers_are_listed_in_pages(bed: &Bed) {
    for key in ["d", "a", "é", "B", "c"] {
        assert!(bed.store.set_register("list", &register(key, "1", 0), None).await.unwrap());
    }
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = bed.store.registers("list", &after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after.clone_from(&last.key);
        seen.extend(page.into_iter().map(|register| register.key));
    }
    // By bytes, whatever the server's locale is.
    assert_eq!(seen, ["B", "a", "c", "d", "é"]);
}

async fn some_of_many_are_read_at_once(bed: &Bed) {
    for key in ["a", "b", "c", "it's \"é\" {,}"] {
        assert!(bed.store.set_register("some", &register(key, "1", 0), None).await.unwrap());
    }
    assert!(bed.store.set_register("some", &register("gone", "1", 0), Some(Duration::ZERO)).await.unwrap());
    let wanted = ["it's \"é\" {,}", "never there", "a", "gone", "a"];
    let mut found = bed.store.registers_of("some", &wanted).await.unwrap();
    found.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(found, [register("a", "1", 1), register("it's \"é\" {,}", "1", 1)]);
    assert_eq!(bed.store.registers_of("some", &[]).await.unwrap(), []);
    assert_eq!(bed.store.registers_of("others", &["a"]).await.unwrap(), []);
}

async fn a_sweep_removes_what_has_expired_and_nothing_else(bed: &Bed) {
    let store = &bed.store;
    for n in 0..6 {
        let lifetime = if n < 4 { Duration::ZERO } else { HOUR };
        assert!(store.set_register("r", &register(&n.to_string(), "1", 0), Some(lifetime)).await.unwrap());
        committed(store.append(keyed(on(&n.to_string(), 0), &n.to_string(), 1, lifetime)).await);
    }
    assert!(store.set_register("r", &register("for ever", "1", 0), None).await.unwrap());
    assert_eq!(store.sweep(3).await.unwrap(), 6, "three of each kind");
    assert_eq!(store.sweep(3).await.unwrap(), 2);
    assert_eq!(store.sweep(3).await.unwrap(), 0);
    assert_eq!(store.registers("r", "", 9).await.unwrap().len(), 3);
    assert_eq!(bed.outside().await.number("SELECT count(*) FROM requests").await, 2);
    assert_eq!(store.head().await.unwrap(), 6, "the log is never swept");
}
