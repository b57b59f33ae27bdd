//! Reactors: an event's work is added exactly once, whoever reacts. Control: without the compare-and-set it is added as
//! often as somebody reacts.

use futures_util::future::join_all;
use storage::Store;
use storage::work::NewWork;
use tokio::sync::Barrier;

use crate::bed::{Bed, everywhere};
use crate::commands::{HOUR, command, committed, on, write};
use crate::work::{KIND, next, work};

everywhere!(
    a_reactor_begins_at_the_head_and_advances_once,
    racing_nodes_add_each_events_work_once,
    an_advance_is_all_or_nothing,
);

const EVENTS: u64 = 60;

async fn a_reactor_begins_at_the_head_and_advances_once(bed: &Bed) {
    let store = &bed.store;
    assert_eq!(store.register_reactor("early").await.unwrap(), 0);
    committed(store.append(command(vec![write("a", 0, 3)])).await);
    assert_eq!(store.register_reactor("late").await.unwrap(), 3, "what was before it is none of its business");
    assert_eq!(store.register_reactor("early").await.unwrap(), 0, "it goes on where it stood");

    let asked = [work("lane", 0), work("lane", 1)];
    assert!(store.advance_reactor("early", 0, 2, &asked).await.unwrap());
    assert!(!store.advance_reactor("early", 0, 2, &asked).await.unwrap(), "it does not stand there any more");
    // Even asked for again, under the same id, it is there once.
    assert!(store.advance_reactor("early", 2, 3, &asked).await.unwrap());
    assert_eq!(count(bed).await, 2);
    assert!(!store.advance_reactor("nobody", 0, 3, &asked).await.unwrap());
    let beyond = [work("lane", 2)];
    assert!(!store.advance_reactor("early", 3, 4, &beyond).await.unwrap(), "there is no such event here");
    assert!(store.advance_reactor("early", 3, 2, &[]).await.is_err(), "it never goes back");
    assert_eq!(store.reactors().await.unwrap(), [("early".to_owned(), 3), ("late".to_owned(), 3)]);
    assert_eq!(next(store, HOUR).await.unwrap().claim.work_id, asked[0].id);
}

async fn count(bed: &Bed) -> i64 {
    bed.outside().await.number("SELECT count(*) FROM work").await
}

/// Each reaction asks under ids of its own: nothing but the compare-and-set keeps them apart.
fn reaction(position: u64) -> [NewWork; 2] {
    [0, 1].map(|n| NewWork { created_position: position, ..work(&format!("lane {}", position % 7), n) })
}

async fn racing_nodes_add_each_events_work_once(bed: &Bed) {
    for n in 0..EVENTS {
        committed(bed.store.append(on(&n.to_string(), 0)).await);
    }
    let nodes = [bed.store.clone(), bed.another_node().await];
    let together = Barrier::new(6);
    for careful in [true, false] {
        let name = format!("careful {careful}");
        bed.outside().await.run(&format!("INSERT INTO reactors (name, position) VALUES ('{name}', 0)")).await;
        let lost = join_all((0..6_u64).map(async |n| {
            let store = &nodes[usize::try_from(n).unwrap() % 2];
            react(store, &name, careful, n, &together).await
        }))
        .await;
        let added = count(bed).await;
        println!("careful: {careful}, lost the race: {lost:?}, added: {added}");
        if careful {
            assert!(lost.iter().sum::<u32>() > 0, "nobody got into another's way: this shows nothing");
            assert_eq!(added, 2 * i64::try_from(EVENTS).unwrap());
            for (position, rows) in all(bed).await {
                assert_eq!(rows, 2, "of event {position}");
            }
        } else {
            assert!(added > 2 * i64::try_from(EVENTS).unwrap(), "the control must add more, or this shows nothing");
        }
        bed.outside().await.run("DELETE FROM work").await;
    }
}

/// How many rows there are of each event.
async fn all(bed: &Bed) -> Vec<(u64, i64)> {
    let mut outside = bed.outside().await;
    let mut rows = Vec::new();
    for position in 1..=EVENTS {
        let sql = format!("SELECT count(*) FROM work WHERE created_position = {position}");
        rows.push((position, outside.number(&sql).await));
    }
    rows
}

/// Reacts to the whole log, `batch` events at a time; how often another was faster.
async fn react(store: &Store, name: &str, careful: bool, batch: u64, together: &Barrier) -> u32 {
    let mut beaten = 0;
    loop {
        let from = store.register_reactor(name).await.unwrap();
        let events = store.read_after(from, 2 + usize::try_from(batch).unwrap() % 4).await.unwrap();
        if from == 0 && beaten == 0 {
            together.wait().await;
        }
        let Some(last) = events.last() else { return beaten };
        let asked: Vec<NewWork> = events.iter().flat_map(|event| reaction(event.position)).collect();
        if !careful {
            store.add_work(&asked).await.unwrap();
        }
        let asked = if careful { asked.as_slice() } else { &[] };
        beaten += u32::from(!store.advance_reactor(name, from, last.position, asked).await.unwrap());
    }
}

async fn an_advance_is_all_or_nothing(bed: &Bed) {
    assert_eq!(bed.store.register_reactor("reactor").await.unwrap(), 0);
    committed(bed.store.append(command(vec![write("a", 0, 5)])).await);
    let broken = NewWork { payload: "no JSON".to_owned(), ..work("lane", 1) };
    let refused = bed.store.advance_reactor("reactor", 0, 5, &[work("lane", 0), broken]).await;
    assert!(matches!(refused, Err(storage::StorageError::Rejected(_))), "{refused:?}");
    assert_eq!((bed.store.register_reactor("reactor").await.unwrap(), count(bed).await), (0, 0));
    // Many rows of one event cannot be told apart by its position: they go in one call.
    let many: Vec<NewWork> = (0..1200).map(|n| work(&format!("lane {}", n % 9), n)).collect();
    assert!(bed.store.advance_reactor("reactor", 0, 5, &many).await.unwrap());
    assert_eq!(count(bed).await, 1200);
    assert_eq!(bed.store.claim_work(&[KIND], 100, HOUR).await.unwrap().len(), 9);
}
