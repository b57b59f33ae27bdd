//! Claims: the outcome of a piece of work is recorded exactly once, by whoever holds it.

use std::time::Duration;

use futures_util::future::join_all;
use storage::work::{Claim, Closing, WorkState};
use storage::{Append, Store, Verdict};

use crate::bed::{Bed, everywhere};
use crate::commands::{HOUR, command, committed, on, stream, write};
use crate::work::{claim, claimed, next, work};

everywhere!(
    an_outcome_closes_the_work,
    a_late_worker_is_fenced,
    one_of_many_outcomes_counts,
    a_refused_outcome_leaves_the_work_claimed,
    many_outcomes_in_one_batch,
    lanes_keep_their_order,
    a_worker_may_die_between_any_two_steps,
    a_lease_that_is_extended_holds,
);

pub(crate) fn outcome(id: &str, claim: Claim) -> Append {
    Append { claim: Some(claim), ..on(id, 0) }
}

async fn state(bed: &Bed, claim: Claim) -> i64 {
    let id = claim.work_id.simple();
    let literal = if bed.is_sqlite() { format!("x'{id}'") } else { format!("'{id}'") };
    let sql = format!(
        "SELECT CAST(CASE WHEN state = 'done' THEN 1 WHEN lease_until IS NOT NULL THEN 2 ELSE 0 END AS bigint) FROM work WHERE id = {literal}"
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
    assert_eq!(next(&bed.store, HOUR).await, None);
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
    assert_eq!(next(&bed.store, HOUR).await, None);
    committed(bed.store.append(outcome("a", one)).await);
    assert_eq!(claim(&bed.store, HOUR).await.work_id, second.id);
}

/// What a worker does before it dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Claims,
    Extends,
    Retries,
    Releases,
    Tells,
    Finishes,
    Fails,
}

impl Step {
    async fn take(self, store: &Store, claim: Claim, id: &str) -> bool {
        let again = Duration::ZERO;
        match self {
            Self::Claims => true,
            Self::Extends => store.extend_work(&[claim], again).await.unwrap() == [claim],
            Self::Retries => store.retry_work(claim, again, "again").await.unwrap() == Closing::Closed,
            Self::Releases => {
                store.release_work(&[claim]).await.unwrap();
                true
            }
            Self::Tells => matches!(store.append(outcome(id, claim)).await.unwrap(), Verdict::Committed(_)),
            Self::Finishes => store.finish_work(claim).await.unwrap() == Closing::Closed,
            Self::Fails => store.fail_work(claim, "no").await.unwrap() == Closing::Closed,
        }
    }

    fn is_final(self) -> bool {
        matches!(self, Self::Tells | Self::Finishes | Self::Fails)
    }
}

/// Whatever the first worker did before it died, its work is ended once, its lane goes on, and when it comes back from
/// the dead nothing that it does counts.
async fn a_worker_may_die_between_any_two_steps(bed: &Bed) {
    let store = &bed.store;
    let lasts = [Step::Claims, Step::Extends, Step::Retries, Step::Releases, Step::Tells, Step::Finishes, Step::Fails];
    for last in lasts {
        let lane = format!("{last:?}");
        let [first, second] = [work(&lane, 0), work(&lane, 1)];
        store.add_work(&[first.clone(), second.clone()]).await.unwrap();
        let dead = claim(store, Duration::ZERO).await;
        assert!(last.take(store, dead, &format!("{lane} first")).await, "the control: it is still his");

        if !last.is_final() {
            let taken = claim(store, HOUR).await;
            assert_eq!((taken.work_id, taken.attempt), (first.id, 2));
            committed(store.append(outcome(&format!("{lane} second"), taken)).await);
        }
        let before = store.work_row(first.id).await.unwrap().unwrap();
        let next_claim = claim(store, HOUR).await;
        assert_eq!(next_claim.work_id, second.id, "after {last:?}");
        for step in lasts {
            let counts = matches!(step, Step::Claims | Step::Releases);
            assert_eq!(step.take(store, dead, &format!("{lane} late")).await, counts, "{step:?} after {last:?}");
        }
        assert_eq!(store.work_row(first.id).await.unwrap().unwrap(), before);
        assert_eq!(next(store, HOUR).await, None);
        assert_eq!(store.finish_work(next_claim).await.unwrap(), Closing::Closed);
        let told = usize::from(!matches!(last, Step::Finishes | Step::Fails));
        let streams = ["first", "second", "late"].map(|who| store.load(stream(&format!("{lane} {who}")), 0));
        let events: usize = join_all(streams).await.into_iter().map(|events| events.unwrap().len()).sum();
        assert_eq!(events, told, "after {last:?}");
    }
}

async fn a_lease_that_is_extended_holds(bed: &Bed) {
    bed.store.add_work(&[work("extended", 0), work("lapsed", 0)]).await.unwrap();
    let claims = [claim(&bed.store, HOUR).await, claim(&bed.store, HOUR).await];
    assert_eq!(next(&bed.store, HOUR).await, None);
    // One lease is over, the other would have been.
    assert_eq!(bed.store.extend_work(&claims, Duration::ZERO).await.unwrap().len(), 2);
    assert_eq!(bed.store.next_work(&[crate::work::KIND]).await.unwrap(), Some(Duration::ZERO));
    assert_eq!(bed.store.extend_work(&claims[..1], HOUR).await.unwrap(), claims[..1]);
    let taken = next(&bed.store, HOUR).await.unwrap();
    assert_eq!((taken.lane.as_str(), taken.claim.attempt), ("lapsed", 2));
    assert_eq!(next(&bed.store, HOUR).await, None);
    assert_eq!(bed.store.work_row(claims[0].work_id).await.unwrap().unwrap().state, WorkState::Claimed);
    // The late one is told which of his claims still hold.
    assert_eq!(bed.store.extend_work(&claims, HOUR).await.unwrap(), claims[..1]);
}
