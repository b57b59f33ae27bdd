//! Guessing gets slower, on all nodes together; nobody is kept out for good.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Barrier;
use vault::throttle::{Guess, LONGEST, Throttle, Wait};

use crate::bed::{Bed, on_both};

on_both!(
    wrong_guesses_wait_longer_and_longer,
    a_right_guess_starts_anew,
    many_at_once_over_two_nodes_are_counted,
    an_address_that_tries_many_accounts_waits,
    nobody_is_locked_out_from_elsewhere,
    nothing_of_whom_and_where_is_kept,
);

const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.9";

fn guess<'a>(account: &'a str, from: &str) -> Guess<'a> {
    Guess { what: "password", account, from: from.parse::<IpAddr>().unwrap() }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

async fn admitted(throttle: &Throttle, guess: &Guess<'_>, now: Timestamp) -> bool {
    throttle.admit(guess, now).await.unwrap().is_ok()
}

async fn wait(throttle: &Throttle, guess: &Guess<'_>, now: Timestamp) -> Duration {
    match throttle.admit(guess, now).await.unwrap() {
        Err(Wait(wait)) => wait,
        Ok(_) => Duration::ZERO,
    }
}

async fn wrong_guesses_wait_longer_and_longer(bed: &Bed) {
    let throttle = Throttle::new(&bed.vault);
    let guess = guess("ada@example.org", HERE);
    for _ in 0..5 {
        assert!(admitted(&throttle, &guess, at(0)).await);
    }
    let mut now = at(0);
    let mut waits = Vec::new();
    for _ in 0..14 {
        let first = wait(&throttle, &guess, now).await;
        assert_eq!(wait(&throttle, &guess, now).await, first, "asking does not make it longer");
        waits.push(first.as_secs());
        let just_before = now + SignedDuration::try_from(first).unwrap() - SignedDuration::from_millis(1);
        assert!(!admitted(&throttle, &guess, just_before).await);
        now += SignedDuration::try_from(first).unwrap();
        assert!(admitted(&throttle, &guess, now).await);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
    assert!(wait(&throttle, &guess, at(0) - SignedDuration::from_hours(99)).await <= LONGEST, "whatever clocks say");
}

async fn a_right_guess_starts_anew(bed: &Bed) {
    let throttle = Throttle::new(&bed.vault);
    for _ in 0..30 {
        for n in 0..4 {
            let admitted = throttle.admit(&guess("ada@example.org", HERE), at(0)).await.unwrap().unwrap();
            if n == 3 {
                throttle.succeeded(admitted).await.unwrap();
            }
        }
        // Ninety wrong ones in all: more than an address may have, if they were not of one who knew it in the end.
        if !admitted(&throttle, &guess("another@example.org", HERE), at(0)).await {
            return;
        }
    }
    panic!("control: wrong guesses of an address are counted, though right ones take back their own");
}

async fn many_at_once_over_two_nodes_are_counted(bed: &Bed) {
    let nodes = [Throttle::new(&bed.vault), Throttle::new(&bed.another_node().await)];
    let barrier = Barrier::new(60);
    let guesses = (0..60).map(|n| {
        let (node, barrier) = (&nodes[n % 2], &barrier);
        async move {
            barrier.wait().await;
            admitted(node, &guess("ada@example.org", HERE), at(0)).await
        }
    });
    let admitted_at_once = join_all(guesses).await.into_iter().filter(|admitted| *admitted).count();
    assert!((1..=5).contains(&admitted_at_once), "{admitted_at_once} were looked at");
    // Control: accounts of their own are not each other's guesses.
    let mut others = 0;
    for n in 0..10 {
        others += usize::from(admitted(&nodes[n % 2], &guess(&format!("person {n}"), ELSEWHERE), at(0)).await);
    }
    assert_eq!(others, 10);
}

async fn an_address_that_tries_many_accounts_waits(bed: &Bed) {
    let throttle = Throttle::new(&bed.vault);
    for n in 0..50 {
        assert!(admitted(&throttle, &guess(&format!("person {n}"), HERE), at(0)).await, "{n}");
    }
    let rows = bed.store.registers("throttle", "", 1_000).await.unwrap().len();
    for n in 50..200 {
        assert!(wait(&throttle, &guess(&format!("person {n}"), HERE), at(0)).await > Duration::ZERO);
    }
    assert_eq!(bed.store.registers("throttle", "", 1_000).await.unwrap().len(), rows, "who waits makes no rows");
    assert!(admitted(&throttle, &guess("person 0", ELSEWHERE), at(0)).await);
    let another_kind = Guess { what: "code", ..guess("person 0", HERE) };
    assert!(admitted(&throttle, &another_kind, at(0)).await);
}

async fn nobody_is_locked_out_from_elsewhere(bed: &Bed) {
    let throttle = Throttle::new(&bed.vault);
    let mut now = at(0);
    for _ in 0..40 {
        let waited = wait(&throttle, &guess("ada@example.org", ELSEWHERE), now).await;
        now += SignedDuration::try_from(waited).unwrap();
    }
    let waits = wait(&throttle, &guess("ada@example.org", ELSEWHERE), now).await;
    let waits = waits.max(wait(&throttle, &guess("ada@example.org", ELSEWHERE), now).await);
    assert_eq!(waits, LONGEST, "the guesser waits");
    assert!(admitted(&throttle, &guess("ada@example.org", HERE), now).await, "the owner does not");
    assert!(
        admitted(&throttle, &guess("ada@example.org", ELSEWHERE), now + SignedDuration::try_from(LONGEST).unwrap())
            .await
    );
}

async fn nothing_of_whom_and_where_is_kept(bed: &Bed) {
    let throttle = Throttle::new(&bed.vault);
    assert!(admitted(&throttle, &guess("ada@example.org", HERE), at(0)).await);
    let everything = bed.everything().await;
    assert!(!everything.contains("ada@example.org") && !everything.contains(HERE));
    assert!(everything.contains("guesses"), "control: the count is found");
}
