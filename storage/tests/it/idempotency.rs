//! Idempotency keys: one request makes one thing, however often and under which command id it is sent.

use std::time::Duration;

use futures_util::future::join_all;
use storage::{KeyUse, Verdict};

use crate::bed::{Bed, everywhere};
use crate::commands::{HOUR, command, committed, keyed, on, stream, write};

everywhere!(
    the_same_body_answers_the_same_and_another_is_refused,
    an_expired_key_is_usable_again,
    a_lifetime_below_a_second_counts,
    keys_belong_to_their_principal,
    a_refused_command_leaves_its_key_unused,
    fifty_callers_with_one_key_make_one_thing,
);

async fn the_same_body_answers_the_same_and_another_is_refused(bed: &Bed) {
    let first = keyed(command(vec![write("a", 0, 2), write("b", 0, 1)]), "key", 1, HOUR);
    let asked = first.idempotency.clone().unwrap();
    assert_eq!(bed.store.key_use(&asked).await.unwrap(), KeyUse::Unused);
    let receipt = committed(bed.store.append(first.clone()).await);
    assert_eq!(bed.store.key_use(&asked).await.unwrap(), KeyUse::SameBody(first.command_id));

    // Sent again, it is decided under another command id, perhaps on other streams, and with other expectations.
    let again = keyed(on("c", 0), "key", 1, HOUR);
    assert_eq!(bed.store.append(again).await.unwrap(), Verdict::Duplicate(receipt));
    let behind = keyed(on("a", 7), "key", 1, HOUR);
    assert_eq!(bed.store.append(behind).await.unwrap(), Verdict::Duplicate(receipt));

    let other = keyed(on("c", 0), "key", 2, HOUR);
    assert_eq!(bed.store.key_use(other.idempotency.as_ref().unwrap()).await.unwrap(), KeyUse::OtherBody);
    assert_eq!(bed.store.append(other).await.unwrap(), Verdict::KeyReused);
    assert_eq!(bed.store.load(stream("c"), 0).await.unwrap(), []);
    assert_eq!(bed.store.of_command(first.command_id).await.unwrap().len(), 3);
}

async fn an_expired_key_is_usable_again(bed: &Bed) {
    let first = keyed(on("a", 0), "key", 1, Duration::ZERO);
    committed(bed.store.append(first.clone()).await);
    assert_eq!(bed.store.key_use(first.idempotency.as_ref().unwrap()).await.unwrap(), KeyUse::Unused);
    // Another body and another lifetime take its place.
    let second = keyed(on("b", 0), "key", 2, HOUR);
    let receipt = committed(bed.store.append(second.clone()).await);
    assert_eq!(bed.store.append(keyed(on("c", 0), "key", 2, HOUR)).await.unwrap(), Verdict::Duplicate(receipt));
    assert_eq!(bed.store.append(keyed(on("c", 0), "key", 1, HOUR)).await.unwrap(), Verdict::KeyReused);
    // The command that was sent under the expired key is still known by its id.
    assert!(matches!(bed.store.append(first).await.unwrap(), Verdict::Duplicate(_)));
    assert_eq!(bed.store.head().await.unwrap(), 2);
}

async fn a_lifetime_below_a_second_counts(bed: &Bed) {
    let short = Duration::from_millis(900);
    let first = keyed(on("a", 0), "key", 1, short);
    let begun = std::time::Instant::now();
    let receipt = committed(bed.store.append(first).await);
    let again = bed.store.append(keyed(on("b", 0), "key", 1, short)).await.unwrap();
    assert!(again == Verdict::Duplicate(receipt) || begun.elapsed() > short, "{again:?} after {:?}", begun.elapsed());
    testbed::eventually("the key has expired", || async {
        let asked = keyed(on("b", 0), "key", 1, HOUR).idempotency.unwrap();
        bed.store.key_use(&asked).await.unwrap() == KeyUse::Unused
    })
    .await;
    committed(bed.store.append(keyed(on("b", 0), "key", 2, HOUR)).await);
}

async fn keys_belong_to_their_principal(bed: &Bed) {
    committed(bed.store.append(keyed(on("a", 0), "key", 1, HOUR)).await);
    let mut another = keyed(on("b", 0), "key", 2, HOUR);
    "somebody else".clone_into(&mut another.idempotency.as_mut().unwrap().principal);
    committed(bed.store.append(another).await);
}

async fn a_refused_command_leaves_its_key_unused(bed: &Bed) {
    let refused = keyed(on("a", 5), "key", 1, HOUR);
    assert_eq!(bed.store.append(refused.clone()).await.unwrap(), Verdict::Conflict);
    assert_eq!(bed.store.key_use(refused.idempotency.as_ref().unwrap()).await.unwrap(), KeyUse::Unused);
    committed(bed.store.append(keyed(on("a", 0), "key", 2, HOUR)).await);
}

async fn fifty_callers_with_one_key_make_one_thing(bed: &Bed) {
    let callers = (0..50).map(|n| keyed(on(&format!("thing {n}"), 0), "key", 1, HOUR));
    let others = (0..50).map(|n| on(&format!("other {n}"), 0));
    let mixed = callers.zip(others).flat_map(|(caller, other)| [caller, other]);
    let answers = join_all(mixed.map(|append| bed.store.append(append))).await;

    let first = committed(answers[0].clone());
    for pair in answers.chunks_exact(2).skip(1) {
        assert_eq!(pair[0].clone().unwrap(), Verdict::Duplicate(first));
    }
    let others: Vec<_> = answers.chunks_exact(2).map(|pair| committed(pair[1].clone())).collect();
    assert_eq!(others.len(), 50, "nobody else noticed");
    assert_eq!(bed.store.head().await.unwrap(), 51);
}
