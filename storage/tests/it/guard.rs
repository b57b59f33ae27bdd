//! Guards: streams that a command only looked at must not have moved.

use futures_util::future::join_all;
use storage::Verdict;

use crate::bed::{Bed, everywhere};
use crate::commands::{command, committed, on, stream, write};

everywhere!(
    a_guard_holds_or_the_command_conflicts,
    a_guard_on_nothing_holds_until_there_is_something,
    guards_exclude_each_other
);

async fn a_guard_holds_or_the_command_conflicts(bed: &Bed) {
    committed(bed.store.append(command(vec![write("policy", 0, 2)])).await);
    for expected in [0, 1, 3, 100] {
        let stale = command(vec![write("policy", expected, 0), write("a", 0, 1)]);
        assert_eq!(bed.store.append(stale).await.unwrap(), Verdict::Conflict, "{expected}");
        let stale = command(vec![write("a", 0, 1), write("policy", expected, 0)]);
        assert_eq!(bed.store.append(stale).await.unwrap(), Verdict::Conflict, "{expected}");
    }
    committed(bed.store.append(command(vec![write("policy", 2, 0), write("a", 0, 1)])).await);
    assert_eq!(bed.store.load(stream("policy"), 0).await.unwrap().len(), 2, "a guard writes nothing");
    // Control: without the guard the same command goes in, whatever has moved.
    committed(bed.store.append(on("policy", 2)).await);
    committed(bed.store.append(on("a", 1)).await);
}

async fn a_guard_on_nothing_holds_until_there_is_something(bed: &Bed) {
    committed(bed.store.append(command(vec![write("name", 0, 0), write("a", 0, 1)])).await);
    committed(bed.store.append(on("name", 0)).await);
    let late = command(vec![write("name", 0, 0), write("b", 0, 1)]);
    assert_eq!(bed.store.append(late).await.unwrap(), Verdict::Conflict);
}

/// Each of two commands guards what the other writes: one of them must lose, on whatever node they run.
async fn guards_exclude_each_other(bed: &Bed) {
    let another = bed.another_node().await;
    let pairs = (0..30).map(|n| {
        let (a, b) = (format!("a {n}"), format!("b {n}"));
        let one = command(vec![write(&a, 0, 0), write(&b, 0, 1)]);
        let other = command(vec![write(&b, 0, 0), write(&a, 0, 1)]);
        let another = &another;
        async move { tokio::join!(bed.store.append(one), another.append(other)) }
    });
    for (one, other) in join_all(pairs).await {
        match (one.unwrap(), other.unwrap()) {
            (Verdict::Committed(_), Verdict::Conflict) | (Verdict::Conflict, Verdict::Committed(_)) => {}
            both => panic!("{both:?}"),
        }
    }
    // Control: without guards both go in.
    let (one, other) = tokio::join!(bed.store.append(on("free a", 0)), another.append(on("free b", 0)));
    committed(one);
    committed(other);
}
