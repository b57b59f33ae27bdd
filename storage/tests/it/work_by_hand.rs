//! What an operator sees of the queue and does to it.

use std::time::Duration;

use futures_util::future::join_all;
use storage::work::{Claim, Closing, NewWork, WorkCursor, WorkFilter, WorkRow, WorkState};
use uuid::Uuid;

use crate::bed::{Bed, everywhere};
use crate::commands::{HOUR, fresh};
use crate::work::{KIND, claim, claimed, next, work};

everywhere!(
    paused_work_waits_and_is_not_lost,
    what_failed_goes_back_into_its_lane,
    what_is_skipped_makes_way,
    what_was_not_begun_is_given_back,
    only_what_failed_or_is_retried_was_a_try,
    a_row_tells_everything,
    lists_show_everything_once,
    figures_leave_out_what_is_done,
    old_work_is_swept,
    many_who_finish_share_calls,
);

async fn row(bed: &Bed, id: Uuid) -> WorkRow {
    bed.store.work_row(id).await.unwrap().unwrap()
}

async fn state(bed: &Bed, id: Uuid) -> WorkState {
    row(bed, id).await.state
}

async fn paused_work_waits_and_is_not_lost(bed: &Bed) {
    let store = &bed.store;
    let other = NewWork { kind: "other".to_owned(), ..work("b", 0) };
    store.add_work(&[work("a", 0), other]).await.unwrap();
    let both = async || store.claim_work(&[KIND, "other"], 9, Duration::ZERO).await.unwrap().len();
    assert_eq!(both().await, 2, "the control: nothing is paused");

    store.pause_work(Some(KIND), "the provider is down").await.unwrap();
    assert_eq!(both().await, 1);
    store.pause_work(None, "restored").await.unwrap();
    assert_eq!(both().await, 0, "not even what was claimed before and is free again");
    assert_eq!(store.next_work(&[KIND, "other"]).await.unwrap(), None);
    let pauses = store.work_pauses().await.unwrap();
    let told: Vec<_> = pauses.iter().map(|pause| (pause.kind.as_deref(), pause.reason.as_str())).collect();
    assert_eq!(told, [(Some(KIND), "the provider is down"), (None, "restored")]);
    assert!(pauses.iter().all(|pause| pause.since_us > 0));

    store.resume_work(None).await.unwrap();
    assert_eq!(both().await, 1, "the other pause stays");
    store.resume_work(Some(KIND)).await.unwrap();
    assert_eq!(both().await, 2);
    assert_eq!(store.work_pauses().await.unwrap(), []);
    for nothing in [Some(""), Some("*"), Some("a\0b")] {
        assert!(store.pause_work(nothing, "").await.is_err());
    }
}

async fn what_failed_goes_back_into_its_lane(bed: &Bed) {
    let store = &bed.store;
    let [first, second, third] = [0, 1, 2].map(|n| work("lane", n));
    store.add_work(&[first.clone(), second.clone(), third.clone()]).await.unwrap();
    let failed = claim(store, HOUR).await;
    assert!(!store.retry_by_hand(first.id).await.unwrap(), "it is being done");
    assert_eq!(store.fail_work(failed, &"ä".repeat(3000)).await.unwrap(), Closing::Closed);
    assert_eq!(row(bed, first.id).await.last_error, Some("ä".repeat(2000)));
    let held = claim(store, HOUR).await;
    assert_eq!(held.work_id, second.id, "the lane goes on");

    assert!(store.retry_by_hand(first.id).await.unwrap());
    assert_eq!(next(store, HOUR).await, None, "one at a time");
    store.finish_work(held).await.unwrap();
    let again = claim(store, HOUR).await;
    assert_eq!(again, Claim { work_id: first.id, attempt: 2 }, "before what stands behind it");
    assert_eq!(store.finish_work(failed).await.unwrap(), Closing::Fenced);

    // A head that waits for a retry is due now.
    store.retry_work(again, HOUR, "busy").await.unwrap();
    assert_eq!(next(store, HOUR).await, None);
    assert!(store.retry_by_hand(first.id).await.unwrap());
    assert!(!store.retry_by_hand(first.id).await.unwrap(), "it is due already");
    store.finish_work(claim(store, HOUR).await).await.unwrap();
    assert_eq!(claim(store, HOUR).await.work_id, third.id);
    for over in [first.id, fresh()] {
        assert!(!store.retry_by_hand(over).await.unwrap());
    }
    // Control: a timer that has its time is no retry.
    let timer = NewWork { run_at_us: Some(i64::MAX / 4), ..work("timer", 0) };
    store.add_work(std::slice::from_ref(&timer)).await.unwrap();
    assert!(!store.retry_by_hand(timer.id).await.unwrap());
}

async fn what_is_skipped_makes_way(bed: &Bed) {
    let store = &bed.store;
    let all: Vec<NewWork> = (0..5).map(|n| work("lane", n)).collect();
    store.add_work(&all).await.unwrap();
    let held = claim(store, HOUR).await;
    assert!(!store.skip_work(all[0].id).await.unwrap(), "it is being done");
    assert!(store.skip_work(all[1].id).await.unwrap(), "while it waits");
    store.fail_work(held, "no").await.unwrap();
    assert!(store.skip_work(all[0].id).await.unwrap(), "after it failed");
    assert!(store.skip_work(all[2].id).await.unwrap(), "as the head");
    assert!(!store.skip_work(all[2].id).await.unwrap(), "once");
    assert_eq!(claim(store, HOUR).await.work_id, all[3].id);
    assert_eq!(state(bed, all[2].id).await, WorkState::Skipped);
    assert!(!store.skip_work(fresh()).await.unwrap());
}

async fn what_was_not_begun_is_given_back(bed: &Bed) {
    let store = &bed.store;
    store.add_work(&[work("a", 0), work("b", 0), work("b", 1)]).await.unwrap();
    let claims: Vec<Claim> =
        store.claim_work(&[KIND], 9, HOUR).await.unwrap().iter().map(|claimed| claimed.claim).collect();
    assert_eq!((claims.len(), next(store, HOUR).await), (2, None));
    assert_eq!(store.finish_work(claims[0]).await.unwrap(), Closing::Closed);
    store.release_work(&claims).await.unwrap();
    let again = next(store, HOUR).await.unwrap();
    assert_eq!(again.claim, Claim { attempt: 2, ..claims[1] }, "what is over is not given back");
    // Given back, it is not his any more.
    store.release_work(&claims).await.unwrap();
    assert_eq!(store.extend_work(&claims, HOUR).await.unwrap(), []);
    assert_eq!(store.extend_work(&[again.claim], HOUR).await.unwrap(), [again.claim]);
    assert_eq!(next(store, HOUR).await, None);
}

async fn only_what_failed_or_is_retried_was_a_try(bed: &Bed) {
    let store = &bed.store;
    let new = work("lane", 0);
    store.add_work(std::slice::from_ref(&new)).await.unwrap();
    let claim_for = async |lease| {
        let claimed = next(store, lease).await.unwrap();
        (claimed.claim, [claimed.claim.attempt, claimed.tries, claimed.lost])
    };
    // Lost twice; then given back, as in a drain.
    assert_eq!(claim_for(Duration::ZERO).await.1, [1, 0, 0]);
    assert_eq!(claim_for(Duration::ZERO).await.1, [2, 0, 1]);
    let (claim, counted) = claim_for(HOUR).await;
    assert_eq!(counted, [3, 0, 2]);
    store.release_work(&[claim]).await.unwrap();
    // Control: a retry is a try, and a failure is.
    let (claim, counted) = claim_for(HOUR).await;
    assert_eq!(counted, [4, 0, 0]);
    store.retry_work(claim, Duration::ZERO, "busy").await.unwrap();
    let (claim, counted) = claim_for(HOUR).await;
    assert_eq!(counted, [5, 1, 0]);
    // What is late counts nothing.
    let late = Claim { attempt: 4, ..claim };
    assert_eq!(store.fail_work(late, "late").await.unwrap(), Closing::Fenced);
    store.fail_work(claim, "no").await.unwrap();
    assert_eq!((row(bed, new.id).await.attempt, row(bed, new.id).await.tries), (5, 2));
    // By hand a new round begins, and the fence goes on.
    assert!(store.retry_by_hand(new.id).await.unwrap());
    let (claim, counted) = claim_for(HOUR).await;
    assert_eq!(counted, [6, 0, 0]);
    store.retry_work(claim, HOUR, "busy").await.unwrap();
    assert!(store.retry_by_hand(new.id).await.unwrap());
    assert_eq!(claim_for(HOUR).await.1, [7, 0, 0]);
}

async fn a_row_tells_everything(bed: &Bed) {
    let store = &bed.store;
    let new = NewWork {
        priority: 7,
        payload: "{\"a\":[1,\"ä\"]}".to_owned(),
        run_at_us: Some(1_700_000_000_123_456),
        created_position: 41,
        ..work("lane", 3)
    };
    store.add_work(std::slice::from_ref(&new)).await.unwrap();
    let expected = WorkRow {
        id: new.id,
        kind: new.kind.clone(),
        lane: new.lane.clone(),
        priority: 7,
        payload: new.payload.clone(),
        state: WorkState::Ready,
        attempt: 0,
        tries: 0,
        run_at_us: 1_700_000_000_123_456,
        lease_until_us: None,
        last_error: None,
        created_position: 41,
        n: 3,
        finished_at_us: None,
    };
    assert_eq!(row(bed, new.id).await, expected);
    let claimed = next(store, HOUR).await.unwrap();
    assert_eq!((claimed.priority, claimed.created_position, claimed.n), (7, 41, 3));
    assert_eq!((&claimed.payload, claimed.run_at_us), (&new.payload, 1_700_000_000_123_456));
    let held = row(bed, new.id).await;
    assert_eq!((held.state, held.attempt, held.tries), (WorkState::Claimed, 1, 0));
    assert_eq!(held.lease_until_us, Some(claimed.claimed_at_us + 3_600_000_000));
    store.retry_work(claimed.claim, HOUR, "busy\0").await.unwrap();
    let retried = row(bed, new.id).await;
    assert_eq!((retried.state, retried.last_error.as_deref()), (WorkState::Ready, Some("busy")));
    assert!(retried.run_at_us >= claimed.claimed_at_us + 3_600_000_000);
    assert_eq!(store.work_row(fresh()).await.unwrap(), None);
}

/// Ten rows in each state but 'claimed', of which there are as many as lanes.
async fn variety(bed: &Bed) -> Vec<NewWork> {
    let store = &bed.store;
    let all: Vec<NewWork> = (0..40)
        .map(|n| NewWork { created_position: n / 4, ..work(&format!("lane {}", n % 4), i32::try_from(n).unwrap()) })
        .collect();
    store.add_work(&all).await.unwrap();
    for round in 0..3 {
        for held in store.claim_work(&[KIND], 9, HOUR).await.unwrap() {
            match round {
                0 => drop(store.finish_work(held.claim).await.unwrap()),
                1 => drop(store.fail_work(held.claim, "no").await.unwrap()),
                _ => {}
            }
        }
    }
    for skipped in &all[30..36] {
        assert!(store.skip_work(skipped.id).await.unwrap());
    }
    store.add_work(&[work("alone", 0)]).await.unwrap();
    all
}

async fn pages(bed: &Bed, filter: &WorkFilter) -> Vec<WorkRow> {
    let mut rows: Vec<WorkRow> = Vec::new();
    loop {
        // As it goes out and comes back.
        let after: Option<WorkCursor> = rows.last().map(|row| row.cursor().to_string().parse().unwrap());
        let page = bed.store.list_work(filter, after, 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}

async fn lists_show_everything_once(bed: &Bed) {
    let all = variety(bed).await;
    let filter = |state| WorkFilter { state, ..WorkFilter::default() };
    let counts = [(None, 31), (Some(WorkState::Waiting), 22), (Some(WorkState::Ready), 1)];
    let more = [(WorkState::Claimed, 4), (WorkState::Failed, 4), (WorkState::Done, 4), (WorkState::Skipped, 6)];
    for (state, expected) in counts.into_iter().chain(more.map(|(state, count)| (Some(state), count))) {
        let rows = pages(bed, &filter(state)).await;
        assert_eq!(rows.len(), expected, "{state:?}");
        assert!(rows.iter().all(|row| state.is_none_or(|state| row.state == state)));
        let keys: Vec<_> = rows
            .iter()
            .map(|row| match row.state {
                WorkState::Done | WorkState::Skipped => (row.finished_at_us.unwrap(), 0, row.id),
                _ => (i64::try_from(row.created_position).unwrap(), row.n, row.id),
            })
            .collect();
        assert!(keys.is_sorted_by(|a, b| a > b), "newest first, each once: {keys:?}");
    }
    let lane = WorkFilter { lane: Some("lane 1".to_owned()), ..WorkFilter::default() };
    let expected: Vec<Uuid> = all.iter().filter(|new| new.lane == "lane 1").map(|new| new.id).collect();
    let rows = pages(bed, &lane).await;
    assert!(rows.len() == 8 && rows.iter().all(|row| expected.contains(&row.id)), "{}", rows.len());
    let nothing = WorkFilter { kind: Some("other".to_owned()), ..lane };
    assert_eq!(pages(bed, &nothing).await, []);
}

async fn figures_leave_out_what_is_done(bed: &Bed) {
    assert_eq!(bed.store.work_figures().await.unwrap(), []);
    variety(bed).await;
    let timer = NewWork { kind: "timer".to_owned(), run_at_us: Some(i64::MAX / 4), ..work("timer", 0) };
    let late = NewWork { kind: "late".to_owned(), run_at_us: Some(1_000_000), ..work("late", 0) };
    bed.store.add_work(&[timer, late]).await.unwrap();
    let figures = bed.store.work_figures().await.unwrap();
    let counts: Vec<_> = figures.iter().map(|f| (f.kind.as_str(), f.state, f.count)).collect();
    let expected = [
        ("late", WorkState::Ready, 1),
        (KIND, WorkState::Claimed, 4),
        (KIND, WorkState::Failed, 4),
        (KIND, WorkState::Ready, 1),
        (KIND, WorkState::Waiting, 22),
        ("timer", WorkState::Ready, 1),
    ];
    assert_eq!(counts, expected);
    let age = |kind| figures.iter().find(|f| f.kind == kind).unwrap().oldest_due_seconds;
    assert!(age("late") > 1e9 && age(KIND) < 600.0, "{figures:?}");
    assert!(age("timer").abs() < f64::EPSILON, "it is not due");
}

async fn old_work_is_swept(bed: &Bed) {
    variety(bed).await;
    let days_ago = |days: u32| {
        let sqlite = format!("UPDATE work SET finished_at = finished_at - {days} * 86400000000 WHERE finished_at > 0");
        let postgres = format!("UPDATE work SET finished_at = finished_at - interval '{days} days'");
        if bed.is_sqlite() { sqlite } else { postgres }
    };
    bed.outside().await.run(&days_ago(6)).await;
    assert_eq!(bed.store.sweep(100).await.unwrap(), 0, "not yet");
    bed.outside().await.run(&days_ago(2)).await;
    assert_eq!(bed.store.sweep(7).await.unwrap(), 7);
    assert_eq!(bed.store.sweep(100).await.unwrap(), 3, "done or skipped; what failed stays");
    assert_eq!(bed.outside().await.number("SELECT count(*) FROM work").await, 31);
}

async fn many_who_finish_share_calls(bed: &Bed) {
    for together in [true, false] {
        let mut claims = Vec::new();
        for n in 0..20 {
            claims.push(claimed(&bed.store, &format!("{together} {n}")).await);
        }
        let twice = claims.iter().chain(&claims).map(|claim| bed.store.finish_work(*claim));
        let mut answers = Vec::new();
        if together {
            answers = join_all(twice).await;
        } else {
            for one in twice {
                answers.push(one.await);
            }
        }
        let closed = answers.iter().filter(|answer| matches!(answer, Ok(Closing::Closed))).count();
        let fenced = answers.iter().filter(|answer| matches!(answer, Ok(Closing::Fenced))).count();
        assert_eq!((closed, fenced), (20, 20), "{answers:?}");
        if !bed.is_sqlite() {
            let calls = format!("SELECT count(DISTINCT xmin::text) FROM work WHERE lane LIKE '{together} %'");
            let calls = bed.outside().await.number(&calls).await;
            // Control: one after the other they share nothing.
            assert!(if together { calls < 10 } else { calls == 20 }, "together: {together}, {calls} calls");
        }
    }
}
