//! The group commit on real databases: callers who leave, panic, or send nonsense harm nobody else, and when the
//! connection is cut everybody is still told the truth.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use storage::{Append, Config, Limits, Receipt, StorageError, Store, Verdict};
use testbed::{Cluster, Proxy, eventually};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::bed::{Bed, on_both};
use crate::commands::{command, committed, event, on, stream, write};
use crate::deterministic::polled;
use crate::dice::Dice;

/// What stands in every answer to an append: the server's timeline.
const ANSWER: &str = "00000001";

on_both!(
    a_caller_may_leave_at_every_await,
    callers_may_be_aborted_at_random,
    a_caller_may_panic_in_the_middle_of_a_batch,
    a_large_command_goes_alone,
);

/// All places are free again, of those who append, load and end claims: no permit was leaked.
async fn quiet(store: &Store) {
    eventually("all callers have their places back", || async {
        format!("{store:?}").matches("places: 4096").count() == 3
    })
    .await;
}

/// A command is recorded whole or not at all.
async fn whole_or_absent(store: &Store, append: &Append) -> bool {
    let events = store.of_command(append.command_id).await.unwrap();
    assert!(events.is_empty() || events.len() == append.event_count(), "half of a command: {events:?}");
    !events.is_empty()
}

async fn a_caller_may_leave_at_every_await(bed: &Bed) {
    let (mut recorded, mut finished) = (0, 0);
    for times in 0..24 {
        // At one time he leads, at another he follows.
        for leads in [true, false] {
            let leaver = command(vec![write(&format!("leaver {times} {leads}"), 0, 2)]);
            let others = (0..6).map(|n| bed.store.append(on(&format!("other {times} {leads} {n}"), 0)));
            let leaving = polled(bed.store.append(leaver.clone()), times);
            let loads = (0..3).map(|_| polled(bed.store.load(stream("leaver"), 0), times));
            let (left, answers) = if leads {
                let (left, _, answers) = tokio::join!(leaving, join_all(loads), join_all(others));
                (left, answers)
            } else {
                let (answers, _, left) = tokio::join!(join_all(others), join_all(loads), leaving);
                (left, answers)
            };
            assert_eq!(answers.into_iter().map(committed).count(), 6);
            finished += usize::from(left.is_some());
            quiet(&bed.store).await;
            let present = whole_or_absent(&bed.store, &leaver).await;
            assert!(present || left.is_none(), "acknowledged, but absent");
            recorded += usize::from(present);
        }
    }
    // He left before he had begun, in the middle, and after the end.
    assert!(recorded < 48 && finished < recorded, "recorded {recorded}, finished {finished}");
    assert_eq!(bed.store.head().await.unwrap(), 48 * 6 + 2 * recorded as u64);
}

async fn callers_may_be_aborted_at_random(bed: &Bed) {
    let mut dice = Dice::new(7);
    for round in 0..12 {
        let mut tasks = JoinSet::new();
        let (mut stay, mut leave) = (Vec::new(), Vec::new());
        for n in 0..40 {
            let append = command(vec![write(&format!("{round} {n}"), 0, 2)]);
            let (store, sent) = (bed.store.clone(), append.clone());
            let handle = tasks.spawn(async move { (sent.command_id, store.append(sent).await) });
            if dice.one_in(2) { leave.push((append, handle)) } else { stay.push(append) }
        }
        for (n, (_, handle)) in leave.iter().enumerate() {
            handle.abort();
            if n % 4 == 0 {
                tokio::task::yield_now().await;
            }
        }
        let mut answers = HashMap::new();
        while let Some(done) = tasks.join_next().await {
            if let Ok((id, answer)) = done {
                answers.insert(id, committed(answer));
            }
        }
        assert!(stay.iter().all(|append| answers.contains_key(&append.command_id)), "somebody else lost his answer");
        quiet(&bed.store).await;
        for (append, _) in &leave {
            let present = whole_or_absent(&bed.store, append).await;
            assert!(present || !answers.contains_key(&append.command_id));
        }
    }
}

async fn a_caller_may_panic_in_the_middle_of_a_batch(bed: &Bed) {
    for round in 0..5 {
        let (store, leader) = (bed.store.clone(), on(&format!("leader {round}"), 0));
        let sent = leader.clone();
        let panicking = tokio::spawn(async move {
            let mut append = std::pin::pin!(store.append(sent));
            // The batch is on its way when its leader falls.
            let _answered = polled(append.as_mut(), 1).await;
            panic!("on purpose");
        });
        let others = join_all((0..10).map(|n| bed.store.append(on(&format!("other {round} {n}"), 0)))).await;
        assert_eq!(others.into_iter().map(committed).count(), 10);
        assert!(panicking.await.is_err());
        quiet(&bed.store).await;
        whole_or_absent(&bed.store, &leader).await;
    }
}

async fn a_large_command_goes_alone(bed: &Bed) {
    let large = |n: usize| {
        let mut append = command(vec![write(&format!("large {n}"), 0, 0)]);
        append.streams[0].events = (0..3).map(|_| event(format!("\"{}\"", "x".repeat(2 << 20)))).collect();
        append
    };
    let commands = (0..24).map(|n| if n % 8 == 0 { large(n) } else { on(&format!("small {n}"), 0) });
    let answers = join_all(commands.map(|append| bed.store.append(append))).await;
    assert_eq!(answers.into_iter().map(committed).count(), 24);
    assert_eq!(bed.store.load(stream("large 8"), 0).await.unwrap()[2].payload.len(), (2 << 20) + 2);
}

/// What every caller was told, checked against the log at the end.
#[derive(Default)]
struct Told {
    committed: HashMap<uuid::Uuid, Receipt>,
    unknown: usize,
}

/// Sends commands from many callers until `stop`, and a few afterwards.
async fn load(store: &Store, name: &str, callers: usize, stop: &AtomicBool) -> Told {
    let caller = async |n: usize| {
        let mut told = Told::default();
        let mut expected = 0;
        while !stop.load(Ordering::SeqCst) || expected == 0 {
            let append = command(vec![write(&format!("{name} {n}"), expected, 2)]);
            match store.append(append.clone()).await {
                Ok(Verdict::Committed(receipt)) => {
                    told.committed.insert(append.command_id, receipt);
                    expected += 2;
                }
                Err(StorageError::Unknown(_)) => {
                    // As told: the same command again says which.
                    told.unknown += 1;
                    let again = store.append(append.clone()).await;
                    assert!(
                        matches!(
                            again,
                            Ok(Verdict::Committed(_) | Verdict::Duplicate(_)) | Err(StorageError::Unknown(_))
                        ),
                        "{again:?}"
                    );
                    expected = store.load(stream(&format!("{name} {n}")), 0).await.map_or(expected, |s| s.len() as u64);
                }
                other => panic!("nobody else is on this stream: {other:?}"),
            }
        }
        told
    };
    let mut sum = Told::default();
    for told in join_all((0..callers).map(caller)).await {
        sum.committed.extend(told.committed);
        sum.unknown += told.unknown;
    }
    sum
}

/// Each acknowledged command is in the log exactly once, at its receipt; and nothing else but what was left unknown.
async fn all_true(direct: &str, told: &Told) {
    let store = Store::open(&Config::new(direct)).await.unwrap();
    let log = store.read_after(0, 1_000_000).await.unwrap();
    let mut found: HashMap<uuid::Uuid, Vec<u64>> = HashMap::new();
    for event in &log {
        found.entry(event.command_id).or_default().push(event.position);
    }
    for (command, receipt) in &told.committed {
        assert_eq!(found.remove(command), Some(vec![receipt.first, receipt.last]), "{command}");
    }
    assert!(found.len() <= told.unknown, "{} commands that nobody was told of", found.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_terminated_under_load() {
    let bed = Bed::postgres().await;
    let Config { url, .. } = bed.config.clone();
    let mut outside = bed.outside().await;
    let stop = AtomicBool::new(false);
    let terminate = async {
        let mut hits = 0;
        while hits < 40 {
            hits += outside
                .number(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                      WHERE datname = current_database() AND state = 'active' AND query LIKE '%append_at_once%'
                        AND pid <> pg_backend_pid()",
                )
                .await;
            tokio::task::yield_now().await;
        }
        stop.store(true, Ordering::SeqCst);
        hits
    };
    let (told, hits) = tokio::join!(load(&bed.store, "caller", 16, &stop), terminate);
    println!("{} acknowledged over {hits} terminated sessions, {} unknown", told.committed.len(), told.unknown);
    assert_eq!(told.unknown, 0, "the database was there all the time");
    all_true(&url, &told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_cut_in_the_middle_of_a_batch() {
    let direct = Cluster::shared().database().await;
    let proxy = Proxy::to(Cluster::shared().port()).await;
    let store = Store::open(&Config::new(proxy.url(&direct))).await.unwrap();
    let stop = AtomicBool::new(false);
    let mut dice = Dice::new(3);
    let cut = async {
        for round in 0..60 {
            let before = proxy.cuts();
            if round % 2 == 0 {
                proxy.cut_after(u32::try_from(dice.below(20_000)).unwrap());
            } else {
                proxy.swallow_the_next(ANSWER);
            }
            eventually("the connection is cut", || async { proxy.cuts() > before }).await;
        }
        stop.store(true, Ordering::SeqCst);
    };
    let (told, ()) = tokio::join!(load(&store, "caller", 16, &stop), cut);
    println!("{} acknowledged over {} cuts", told.committed.len(), proxy.cuts());
    assert_eq!(told.unknown, 0, "the database was there all the time");
    all_true(&direct, &told).await;
}

/// Control: who does not send again cannot know. What the proxy swallows was committed, and its caller is not told so.
#[tokio::test(flavor = "multi_thread")]
async fn without_patience_a_lost_answer_is_unknown() {
    let direct = Cluster::shared().database().await;
    let proxy = Proxy::to(Cluster::shared().port()).await;
    let limits = Limits { patience: Duration::ZERO, ..Limits::default() };
    let store = Store::open_with(&Config::new(proxy.url(&direct)), limits).await.unwrap();
    let append = on("a", 0);
    proxy.swallow_the_next(ANSWER);
    let answer = store.append(append.clone()).await;
    assert!(matches!(answer, Err(StorageError::Unknown(_))), "{answer:?}");
    assert_eq!(store.of_command(append.command_id).await.unwrap().len(), 1);
    assert!(matches!(store.append(append).await, Ok(Verdict::Duplicate(_))), "sending it again tells");
}

/// The answer of a committed call is lost, with commands in the batch whose duplicate is not their own.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_nobody_else_s_success_one_s_own() {
    let direct = Cluster::shared().database().await;
    let proxy = Proxy::to(Cluster::shared().port()).await;
    let store = Store::open(&Config::new(proxy.url(&direct))).await.unwrap();
    let hour = crate::commands::HOUR;
    for round in 0..10 {
        let name = |what: &str| format!("{what} {round}");
        let asked = crate::commands::keyed(on(&name("asked"), 0), &name("key"), 1, hour);
        let first = committed(store.append(asked).await);
        let resent = on(&name("resent"), 0);
        let before = committed(store.append(resent.clone()).await);
        // Decided anew, on another state: a success would tell the caller of a sequence that does not exist.
        let anew = Append { command_id: resent.command_id, ..on(&name("resent"), 1) };

        proxy.swallow_the_next(ANSWER);
        let (own, same_key, anew) = tokio::join!(
            store.append(on(&name("own"), 0)),
            store.append(crate::commands::keyed(on(&name("other"), 0), &name("key"), 1, hour)),
            store.append(anew),
        );
        assert!(!proxy.is_hungry());
        committed(own);
        assert_eq!(same_key.unwrap(), Verdict::Duplicate(first));
        assert_eq!(anew.unwrap(), Verdict::Duplicate(before));

        // And where all of them stand in the batch whose answer is lost.
        let alone = crate::commands::keyed(on(&name("alone"), 0), &name("key"), 1, hour);
        proxy.swallow_the_next("duplicate");
        assert_eq!(store.append(alone).await.unwrap(), Verdict::Duplicate(first));
        assert!(!proxy.is_hungry());
    }
}

/// Nothing goes through and nobody is told: as when the server's machine has lost its power.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_holds_nobody_for_ever() {
    let direct = Cluster::shared().database().await;
    let proxy = Arc::new(Proxy::to(Cluster::shared().port()).await);
    let mut config = Config::new(proxy.url(&direct));
    config.connections = 3;
    let store = Store::open(&config).await.unwrap();
    committed(store.append(on("before", 0)).await);

    proxy.fall_silent(true);
    let (append, sent) = (on("during", 0), store.clone());
    let during = tokio::spawn({
        let append = append.clone();
        async move { sent.append(append).await }
    });
    let reads = join_all((0..3).map(|_| store.read_after(0, 10)));
    let reads = timeout(Duration::from_mins(1), reads).await.expect("a read is not held for ever");
    assert!(reads.iter().all(Result::is_err));
    // The server is back, on the same address; what was sent to it before is lost.
    proxy.cut_all();
    proxy.fall_silent(false);
    let told = timeout(Duration::from_mins(1), during).await.expect("an append is not held for ever").unwrap();
    assert!(matches!(told, Ok(Verdict::Committed(_))), "{told:?}");
    committed(timeout(Duration::from_mins(1), store.append(on("after", 0))).await.expect("the lane is free again"));
    assert_eq!(store.of_command(append.command_id).await.unwrap().len(), 1);
}
