//! Lanes: work in one lane is done one at a time and in order, whatever fails, waits or races. Controls: the same work
//! in a lane for each row is done out of order, and without the lock on a lane's bucket a lane gets stuck.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use storage::work::{Claimed, Closing, NewWork, WorkState};
use storage::{Store, Verdict};
use testbed::eventually;
use tokio::time::timeout;

use crate::bed::{Bed, everywhere};
use crate::commands::HOUR;
use crate::dice::Dice;
use crate::fence::outcome;
use crate::work::{KIND, claim, next, work};

everywhere!(
    a_lane_keeps_its_order_under_ten_workers,
    adding_and_closing_at_once_leaves_no_lane_stuck,
    a_head_that_waits_holds_its_lane_back,
    what_stands_earlier_takes_the_place_of_the_head,
    what_no_lane_can_be_is_refused,
);

const LANES: usize = 5;
const ROWS: usize = 30;
const WORKERS: u64 = 10;

/// In which order work was begun: its lane by its payload, and its number there.
type Begun = Mutex<Vec<(String, i32)>>;

async fn a_lane_keeps_its_order_under_ten_workers(bed: &Bed) {
    let nodes = [bed.store.clone(), bed.another_node().await];
    for in_lanes in [true, false] {
        let (begun, over) = (Begun::default(), AtomicUsize::new(0));
        let add = (0..LANES).map(async |lane| {
            for n in 0..ROWS {
                let name = if in_lanes { format!("lane {lane}") } else { format!("lane {lane} {n}") };
                let mut new = NewWork { payload: format!("\"{lane}\""), ..work(&name, i32::try_from(n).unwrap()) };
                new.created_position = n as u64 + 1;
                nodes[(lane + n) % 2].add_work(&[new]).await.unwrap();
            }
        });
        let workers = (0..WORKERS).map(|n| toil(&nodes[usize::try_from(n).unwrap() % 2], Dice::new(n), &begun, &over));
        timeout(Duration::from_mins(1), async { tokio::join!(join_all(add), join_all(workers)) })
            .await
            .expect("a lane is stuck");
        let disorder = disorder(&begun.into_inner().unwrap());
        println!("in lanes: {in_lanes}, out of order: {disorder}");
        assert_eq!(in_lanes, disorder == 0, "in order in lanes, and else not, or this shows nothing");
    }
}

/// Does work until all is over, with all that can happen to it.
async fn toil(store: &Store, mut dice: Dice, begun: &Begun, over: &AtomicUsize) {
    let mut news = store.work_news();
    while over.load(Ordering::SeqCst) < LANES * ROWS {
        if dice.one_in(10) {
            // Dies before it has begun.
            store.claim_work(&[KIND], 1, Duration::ZERO).await.unwrap();
            continue;
        }
        let claimed = store.claim_work(&[KIND], 2, HOUR).await.unwrap();
        if claimed.is_empty() {
            let _either_way = timeout(Duration::from_millis(10), news.changed()).await;
        }
        for work in claimed {
            begun.lock().unwrap().push((work.payload.clone(), work.n));
            let claim = work.claim;
            let closing = match dice.below(10) {
                0..3 => store.retry_work(claim, Duration::from_millis(dice.below(8)), "again").await,
                3 => {
                    store.release_work(&[claim]).await.unwrap();
                    continue;
                }
                4 => {
                    over.fetch_add(1, Ordering::SeqCst);
                    store.fail_work(claim, "never").await
                }
                _ => {
                    over.fetch_add(1, Ordering::SeqCst);
                    store.finish_work(claim).await
                }
            };
            assert_eq!(closing.unwrap(), Closing::Closed);
        }
    }
}

/// How often work was begun after what stands behind it in its lane.
fn disorder(begun: &[(String, i32)]) -> usize {
    let lane = |name: &str| begun.iter().filter(|(lane, _)| lane == name).map(|(_, n)| *n).collect::<Vec<_>>();
    let lanes = (0..LANES).map(|n| lane(&format!("\"{n}\"")));
    lanes.map(|numbers| numbers.windows(2).filter(|pair| pair[1] < pair[0]).count()).sum()
}

async fn adding_and_closing_at_once_leaves_no_lane_stuck(bed: &Bed) {
    const EACH: usize = 25;
    let nodes = [bed.store.clone(), bed.another_node().await];
    let done = AtomicUsize::new(0);
    let adders = (0..6_usize).map(async |adder| {
        for n in 0..EACH {
            // Not in the order in which they stand in the lane.
            let n = i32::try_from((n * 7 + adder) % EACH).unwrap();
            nodes[adder % 2].add_work(&[work("hot", n), work(&format!("other {adder}"), n)]).await.unwrap();
        }
    });
    let workers = (0..6).map(async |worker| {
        let store = &nodes[worker % 2];
        while done.load(Ordering::SeqCst) < 6 * EACH * 2 {
            for claimed in store.claim_work(&[KIND], 3, HOUR).await.unwrap() {
                let closing = async { store.finish_work(claimed.claim).await.unwrap() == Closing::Closed };
                let stream = claimed.claim.work_id.to_string();
                let telling = async { store.append(outcome(&stream, claimed.claim)).await.unwrap() };
                // Both ways of ending it.
                let ended =
                    if claimed.n % 2 == 0 { closing.await } else { matches!(telling.await, Verdict::Committed(_)) };
                assert!(ended, "{claimed:?}");
                done.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    timeout(Duration::from_mins(1), async { tokio::join!(join_all(adders), join_all(workers)) })
        .await
        .unwrap_or_else(|_| panic!("a lane is stuck after {done:?}"));
    let open = "SELECT count(*) FROM work WHERE state <> 'done'";
    assert_eq!(bed.outside().await.number(open).await, 0);
    assert_eq!(bed.outside().await.number("SELECT count(*) FROM work").await, 300);
}

async fn a_head_that_waits_holds_its_lane_back(bed: &Bed) {
    let store = &bed.store;
    let (first, second) = (work("lane", 0), NewWork { priority: 9, ..work("lane", 1) });
    store.add_work(&[second.clone(), first.clone()]).await.unwrap();
    let held = claim(store, HOUR).await;
    assert_eq!(held.work_id, first.id, "priority counts between lanes only");
    store.retry_work(held, HOUR, "later").await.unwrap();
    assert_eq!(next(store, HOUR).await, None);
    let until = store.next_work(&[KIND]).await.unwrap().unwrap();
    assert!(until > Duration::from_mins(59) && until <= HOUR, "{until:?}");
    // A timer does so too, in its lane and in no other.
    let timer = NewWork { run_at_us: Some(i64::MAX / 4), ..work("timed", 0) };
    store.add_work(&[timer, work("timed", 1), work("free", 0)]).await.unwrap();
    assert_eq!(next(store, HOUR).await.unwrap().lane, "free");
    assert_eq!(next(store, HOUR).await, None);
    // Control: given up, it holds nothing back.
    assert!(store.retry_by_hand(first.id).await.unwrap());
    store.fail_work(claim(store, HOUR).await, "never").await.unwrap();
    assert_eq!(claim(store, HOUR).await.work_id, second.id);
}

async fn what_stands_earlier_takes_the_place_of_the_head(bed: &Bed) {
    let store = &bed.store;
    let [first, second, third, fourth] = [0, 1, 2, 3].map(|n| work("lane", n));
    store.add_work(std::slice::from_ref(&third)).await.unwrap();
    store.add_work(std::slice::from_ref(&second)).await.unwrap();
    let held = claim(store, HOUR).await;
    assert_eq!(held.work_id, second.id);
    // Not while it is claimed.
    store.add_work(&[fourth.clone(), first.clone()]).await.unwrap();
    assert_eq!(next(store, HOUR).await, None);
    assert_eq!(state(bed, &first).await, WorkState::Waiting);
    store.release_work(&[held]).await.unwrap();
    for due in [first, second, third, fourth] {
        let claimed: Claimed = next(store, HOUR).await.unwrap();
        assert_eq!((claimed.claim.work_id, claimed.n), (due.id, due.n));
        assert_eq!(next(store, HOUR).await, None, "one at a time");
        store.finish_work(claimed.claim).await.unwrap();
    }
}

async fn state(bed: &Bed, new: &NewWork) -> WorkState {
    bed.store.work_row(new.id).await.unwrap().unwrap().state
}

async fn what_no_lane_can_be_is_refused(bed: &Bed) {
    let wrong = [
        NewWork { lane: String::new(), ..work("a", 0) },
        NewWork { lane: "x".repeat(501), ..work("a", 0) },
        NewWork { kind: "a\0b".to_owned(), ..work("a", 0) },
        NewWork { priority: 10, ..work("a", 0) },
        NewWork { payload: "no JSON".to_owned(), ..work("a", 0) },
    ];
    for wrong in wrong {
        let refused = bed.store.add_work(&[work("good", 0), wrong.clone()]).await;
        assert!(matches!(refused, Err(storage::StorageError::Rejected(_))), "{wrong:?}: {refused:?}");
    }
    assert_eq!(bed.outside().await.number("SELECT count(*) FROM work").await, 0);
    bed.store.add_work(&[NewWork { lane: "x".repeat(500), priority: 9, ..work("a", 0) }]).await.unwrap();
}

/// Work is added while what is claimed in its lane is being closed: the closing has looked for the next one and not found
/// it, and the adding has found the lane taken. Who comes later must wait for the other.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_on_its_bucket_a_lane_gets_stuck() {
    for locked in [true, false] {
        let bed = Bed::postgres().await;
        let mut outside = bed.outside().await;
        if !locked {
            outside.run("CREATE OR REPLACE FUNCTION lock_lanes(lanes text[]) RETURNS void LANGUAGE sql AS ''").await;
        }
        outside
            .run(
                "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
                   'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
                 CREATE CONSTRAINT TRIGGER dawdle AFTER UPDATE ON work DEFERRABLE INITIALLY DEFERRED
                   FOR EACH ROW WHEN (NEW.state = 'done') EXECUTE FUNCTION dawdle()",
            )
            .await;
        let held = crate::work::claimed(&bed.store, "lane").await;
        let behind = work("lane", 1);
        let finish = bed.store.finish_work(held);
        let add = async {
            eventually("the closing is about to be committed", || async {
                let asleep = "SELECT count(*) FROM pg_stat_activity
                               WHERE datname = current_database() AND wait_event = 'PgSleep'";
                bed.outside().await.number(asleep).await == 1
            })
            .await;
            bed.store.add_work(std::slice::from_ref(&behind)).await.unwrap();
        };
        let (finished, ()) = tokio::join!(finish, add);
        assert_eq!(finished.unwrap(), Closing::Closed);
        let expected = if locked { WorkState::Ready } else { WorkState::Waiting };
        assert_eq!(state(&bed, &behind).await, expected, "locked: {locked}");
        assert_eq!(next(&bed.store, HOUR).await.is_some(), locked);
    }
}
