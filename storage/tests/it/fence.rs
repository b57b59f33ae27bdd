//! Claims: the outcome of a piece of work is recorded exactly once, by whoever holds it.

use std::time::Duration;

use futures_util::future::join_all;
use storage::work::Claim;
use storage::{Append, Verdict};

use crate::bed::{Bed, everywhere};
use crate::commands::{HOUR, command, committed, on, stream, write};
use crate::work::{claim, claimed, work};

everywhere!(
    an_outcome_closes_the_work,
    a_late_worker_is_fenced,
    one_of_many_outcomes_counts,
    a_refused_outcome_leaves_the_work_claimed,
    many_outcomes_in_one_batch,
    lanes_keep_their_order,
);

fn outcome(id: &str, claim: Claim) -> Append {
    Append { claim: Some(claim), ..on(id, 0) }
}

async fn state(bed: &Bed, claim: Claim) -> i64 {
    let id = claim.work_id.simple();
    let literal = if bed.is_sqlite() { format!("x'{id}'") } else { format!("'{id}'") };
    let sql = format!(
        "SELECT CAST(CASE state WHEN 'done' THEN 1 WHEN 'claimed' THEN 2 ELSE 0 END AS bigint) FROM work WHERE id = {literal}"
    );
    bed.outside().await.number(&sql).await
}

async fn an_outcome_closes_the_work(bed: &Bed) {
    let claim = claimed(&bed.store, "lane").await;
    assert_eq!(state(bed, claim).await, 2);
    let told = outcome("a", claim);
    let receipt = committed(bed.store.append(told.clone()).await);
    assert_eq!(state(bed, claim).await, 1);
    // Sent again after a lost answer: it is his own.
    assert_eq!(bed.store.append(told).await.unwrap(), Verdict::Duplicate(receipt));
    // A second outcome of the same claim is none.
    assert_eq!(bed.store.append(outcome("b", claim)).await.unwrap(), Verdict::Fenced);
    assert_eq!(bed.store.load(stream("b"), 0).await.unwrap(), []);
    assert_eq!(bed.store.claim_work(HOUR).await.unwrap(), None);
}

async fn a_late_worker_is_fenced(bed: &Bed) {
    bed.store.add_work(&[work("lane", 0)]).await.unwrap();
    let late = claim(&bed.store, Duration::ZERO).await;
    let next = claim(&bed.store, HOUR).await;
    assert_eq!((next.work_id, next.attempt), (late.work_id, late.attempt + 1));
    assert_eq!(bed.store.append(outcome("late", late)).await.unwrap(), Verdict::Fenced);
    let early = Claim { attempt: next.attempt + 1, ..next };
    assert_eq!(bed.store.append(outcome("early", early)).await.unwrap(), Verdict::Fenced);
    let unknown = Claim { work_id: crate::commands::fresh(), attempt: 1 };
    assert_eq!(bed.store.append(outcome("unknown", unknown)).await.unwrap(), Verdict::Fenced);
    assert_eq!(bed.store.head().await.unwrap(), 0);
    committed(bed.store.append(outcome("now", next)).await);
    // Control: without the claim the same late outcome is recorded, a second time for one piece of work.
    committed(bed.store.append(Append { claim: None, ..outcome("late", late) }).await);
}

async fn one_of_many_outcomes_counts(bed: &Bed) {
    let another = bed.another_node().await;
    for round in 0..5 {
        let claim = claimed(&bed.store, &format!("lane {round}")).await;
        let told = (0..20).map(|n| {
            let store = if n % 2 == 0 { &bed.store } else { &another };
            store.append(outcome(&format!("outcome {round} {n}"), claim))
        });
        let answers = join_all(told).await;
        let recorded = answers.iter().filter(|answer| matches!(answer, Ok(Verdict::Committed(_)))).count();
        let fenced = answers.iter().filter(|answer| matches!(answer, Ok(Verdict::Fenced))).count();
        assert_eq!((recorded, fenced), (1, 19), "{answers:?}");
    }
    assert_eq!(bed.store.head().await.unwrap(), 5);
}

async fn a_refused_outcome_leaves_the_work_claimed(bed: &Bed) {
    let claim = claimed(&bed.store, "lane").await;
    let behind = Append { claim: Some(claim), ..on("a", 3) };
    assert_eq!(bed.store.append(behind).await.unwrap(), Verdict::Conflict);
    assert_eq!(state(bed, claim).await, 2);
    committed(bed.store.append(outcome("a", claim)).await);
    assert_eq!(state(bed, claim).await, 1);
}

async fn many_outcomes_in_one_batch(bed: &Bed) {
    let mut claims = Vec::new();
    for lane in ["a", "b", "c", "d"] {
        claims.push(claimed(&bed.store, lane).await);
    }
    let stale = Claim { attempt: 9, ..claims[3] };
    let batch = vec![
        outcome("a", claims[0]),
        outcome("b", claims[1]),
        command(vec![write("unclaimed", 0, 2)]),
        outcome("c", claims[2]),
        outcome("d", stale),
    ];
    let answers = bed.append_in_one_batch(batch).await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(Verdict::Committed(_)))).count(), 4);
    assert_eq!(answers[4].clone().unwrap(), Verdict::Fenced);
    for (claim, expected) in claims.iter().zip([1, 1, 1, 2]) {
        assert_eq!(state(bed, *claim).await, expected);
    }
}

async fn lanes_keep_their_order(bed: &Bed) {
    let (first, second, other) = (work("lane", 0), work("lane", 1), work("other", 2));
    // Adding it twice adds it once.
    bed.store.add_work(&[second.clone(), first.clone(), other.clone(), first.clone()]).await.unwrap();
    let one = claim(&bed.store, HOUR).await;
    assert_eq!(one.work_id, first.id);
    assert_eq!(claim(&bed.store, HOUR).await.work_id, other.id, "what is claimed holds its lane back");
    assert_eq!(bed.store.claim_work(HOUR).await.unwrap(), None);
    committed(bed.store.append(outcome("a", one)).await);
    assert_eq!(claim(&bed.store, HOUR).await.work_id, second.id);
}
