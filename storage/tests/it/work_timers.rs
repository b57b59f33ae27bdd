//! Very many timers that are due, as after a long outage: they fire in order of time, and the last as cheaply as the first.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use storage::work::{Closing, NewWork};

use crate::bed::{Bed, on_both};
use crate::commands::HOUR;
use crate::dice::Dice;
use crate::work::{KIND, work};

on_both!(a_hundred_thousand_timers_fire_in_order_of_time);

async fn a_hundred_thousand_timers_fire_in_order_of_time(bed: &Bed) {
    const TIMERS: i32 = 100_000;
    let mut dice = Dice::new(3);
    let begun = Instant::now();
    let mut timers = Vec::new();
    for n in 0..TIMERS {
        let at = i64::try_from(dice.below(1_000_000_000)).unwrap() * 1000;
        timers.push(NewWork { run_at_us: Some(at), ..work(&format!("timer {n}"), n) });
    }
    bed.store.add_work(&timers).await.unwrap();
    let (added, mut last, mut fired, mut took) = (begun.elapsed(), 0, 0, Vec::new());
    loop {
        let begun = Instant::now();
        let claimed = bed.store.claim_work(&[KIND, "another", "third"], 1_000, HOUR).await.unwrap();
        took.push(begun.elapsed());
        if claimed.is_empty() {
            break;
        }
        for timer in &claimed {
            assert!(timer.run_at_us >= last, "{} after {last}", timer.run_at_us);
            last = timer.run_at_us;
        }
        let finished = join_all(claimed.iter().map(|timer| bed.store.finish_work(timer.claim))).await;
        assert!(finished.iter().all(|closing| matches!(closing, Ok(Closing::Closed))), "{finished:?}");
        fired += claimed.len();
    }
    assert_eq!(fired, timers.len());
    let mean = |part: &[Duration]| part.iter().sum::<Duration>() / u32::try_from(part.len()).unwrap();
    println!(
        "{}: added in {added:?}; 1000 of {TIMERS} claimed in {:?} at first, {:?} at last",
        bed.store.engine(),
        mean(&took[..10]),
        mean(&took[90..100]),
    );
}
