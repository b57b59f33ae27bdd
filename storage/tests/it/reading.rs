//! Reading: pages and tails see every position once, in order, or an alarm; everybody gets the streams he asked for.

use std::time::Duration;

use futures_util::future::join_all;
use storage::{Recorded, StorageError, Wanted};
use tokio::time::timeout;

use crate::bed::{Bed, everywhere};
use crate::commands::{command, committed, on, stream, write};

everywhere!(
    pages_follow_each_other,
    loads_give_everybody_what_he_asked_for,
    a_stream_that_cannot_be_harms_nobody_elses_load,
    a_gap_is_an_alarm,
    a_tail_sees_everything_once,
    a_tail_needs_no_notice,
);

async fn pages_follow_each_other(bed: &Bed) {
    join_all((0..25).map(|n| bed.store.append(on(&n.to_string(), 0)))).await;
    for size in [1, 2, 7, 25, 100] {
        let mut seen = Vec::new();
        loop {
            let page = bed.store.read_after(seen.len() as u64, size).await.unwrap();
            assert!(page.len() <= size);
            if page.is_empty() {
                break;
            }
            seen.extend(page.iter().map(|event| event.position));
        }
        assert_eq!(seen, (1..=25).collect::<Vec<u64>>());
    }
    assert_eq!(bed.store.read_after(1000, 10).await.unwrap(), []);
    assert_eq!(bed.store.read_after(u64::MAX, 10).await.unwrap(), []);
}

async fn loads_give_everybody_what_he_asked_for(bed: &Bed) {
    let streams: Vec<_> = (0..10).map(|n| (format!("s{n}"), n)).collect();
    for (id, length) in streams.iter().filter(|(_, length)| *length > 0) {
        committed(bed.store.append(command(vec![write(id, 0, *length)])).await);
    }
    let expected = |wanted: &Wanted| -> Vec<u64> {
        let length = streams.iter().find(|(id, _)| *id == wanted.stream.aggregate_id).map_or(0, |(_, length)| *length);
        (1..=length as u64).filter(|sequence| *sequence > wanted.after).collect()
    };
    // Every caller wants some streams after some sequence, some of them twice, some that do not exist.
    let asks: Vec<Vec<Wanted>> = (0..200_u64)
        .map(|n| {
            let wanted = |m: u64| Wanted { stream: stream(&format!("s{}", (n * 7 + m * 3) % 12)), after: (n + m) % 5 };
            (0..n % 5).map(wanted).chain((n % 3 == 0).then(|| Wanted { after: n % 4, ..wanted(0) })).collect()
        })
        .collect();
    let check = |wanted: &[Wanted], loaded: &[Vec<Recorded>]| {
        assert_eq!(wanted.len(), loaded.len());
        for (wanted, events) in wanted.iter().zip(loaded) {
            assert!(events.iter().all(|event| event.stream == wanted.stream));
            assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), expected(wanted), "{wanted:?}");
        }
    };
    let answers = join_all(asks.iter().map(|wanted| bed.store.load_all(wanted.clone()))).await;
    for (wanted, loaded) in asks.iter().zip(answers) {
        check(wanted, &loaded.unwrap());
    }
    // Alone as well as together.
    for wanted in &asks[..40] {
        check(wanted, &bed.store.load_all(wanted.clone()).await.unwrap());
    }
    assert_eq!(bed.store.load(stream("s9"), u64::MAX).await.unwrap(), []);
    assert_eq!(bed.store.load(stream("s9"), 7).await.unwrap().len(), 2);
}

async fn a_stream_that_cannot_be_harms_nobody_elses_load(bed: &Bed) {
    committed(bed.store.append(on("good", 0)).await);
    let loads = (0..60).map(|n| bed.store.load(stream(if n % 6 == 5 { "b\u{0}d" } else { "good" }), 0));
    for (n, loaded) in join_all(loads).await.into_iter().enumerate() {
        match loaded {
            Err(StorageError::Rejected(_)) if n % 6 == 5 => {}
            Ok(events) if n % 6 != 5 => assert_eq!(events.len(), 1),
            other => panic!("{n}: {other:?}"),
        }
    }
}

async fn a_gap_is_an_alarm(bed: &Bed) {
    join_all((0..9).map(|n| bed.store.append(on(&n.to_string(), 0)))).await;
    assert_eq!(bed.store.read_after(0, 100).await.unwrap().len(), 9, "the control: without a gap there is no alarm");
    let mut outside = bed.outside().await;
    outside.run(bed.sql("DROP TRIGGER events_stay", "ALTER TABLE events DISABLE TRIGGER events_stay")).await;
    outside.run("DELETE FROM events WHERE position = 5").await;

    let gap = |result: Result<Vec<Recorded>, StorageError>, due: u64, came: u64| match result {
        Err(StorageError::Gap { expected, found }) => assert_eq!((expected, found), (due, came)),
        other => panic!("no alarm: {other:?}"),
    };
    gap(bed.store.read_after(0, 100).await, 5, 6);
    gap(bed.store.read_after(4, 1).await, 5, 6);
    assert_eq!(bed.store.read_after(0, 4).await.unwrap().len(), 4, "up to the gap all is well");
    assert_eq!(bed.store.read_after(5, 9).await.unwrap().len(), 4);
    let mut tail = bed.store.tail(2);
    assert_eq!(tail.next(2).await.unwrap().len(), 2);
    gap(tail.next(100).await, 5, 6);
    assert_eq!(tail.position(), 4, "a gap is never skipped");
    gap(tail.next(100).await, 5, 6);
}

async fn a_tail_sees_everything_once(bed: &Bed) {
    let another = bed.another_node().await;
    let (mut here, mut there) = (bed.store.tail(0), another.tail(0));
    let appends = async {
        for round in 0..15 {
            let burst = (0..8).flat_map(|n| {
                [
                    bed.store.append(on(&format!("{round} {n} here"), 0)),
                    another.append(on(&format!("{round} {n} there"), 0)),
                ]
            });
            join_all(burst).await.into_iter().map(committed).for_each(|receipt| assert!(receipt.first > 0));
        }
    };
    let follow = async |tail: &mut storage::Tail, page: usize| {
        let mut seen = Vec::new();
        while seen.len() < 240 {
            seen.extend(tail.next(page).await.unwrap().iter().map(|event| event.position));
        }
        seen
    };
    let ((), near, far) = tokio::join!(appends, follow(&mut here, 1000), follow(&mut there, 3));
    let all: Vec<u64> = (1..=240).collect();
    assert_eq!(near, all);
    assert_eq!(far, all);
    assert_eq!(here.ready(10).await.unwrap(), []);
    assert_eq!((here.position(), there.position()), (240, 240));
}

/// Written by somebody who tells nobody: polling suffices.
async fn a_tail_needs_no_notice(bed: &Bed) {
    let mut tail = bed.store.tail(0);
    assert!(timeout(Duration::from_millis(120), tail.next(10)).await.is_err(), "nothing has been written yet");
    for (n, id) in ["a", "b", "c"].into_iter().enumerate() {
        let (events, ()) =
            tokio::join!(timeout(Duration::from_secs(30), tail.next(10)), bed.insert_from_outside(id, 0));
        assert_eq!(events.unwrap().unwrap()[0].position, n as u64 + 1);
    }
}
