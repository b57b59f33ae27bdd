//! Outcomes of claimed work: told once, under the present claim only.

use std::time::Duration;

use commands::{Actor, ActorKind, CommandError, Request, ids};
use domain::Aggregate;
use storage::work::{Claimed, NewWork};

use crate::bed::{Bed, on_both};
use crate::lamp::{Lamp, Switch};

on_both!(an_outcome_is_told_once, a_late_worker_is_fenced);

async fn add(bed: &Bed, lane: &str) {
    let work = NewWork {
        id: ids::fresh(),
        kind: "switch".to_owned(),
        lane: lane.to_owned(),
        priority: 0,
        payload: "{}".to_owned(),
        run_at_us: None,
        created_position: 1,
        n: 0,
    };
    bed.bus.store().add_work(&[work]).await.unwrap();
}

async fn claim(bed: &Bed, lease: Duration) -> Option<Claimed> {
    bed.bus.store().claim_work(&["switch"], 1, lease).await.unwrap().pop()
}

fn worker() -> Request {
    Request::new(Actor::system(ActorKind::Reaction, "switcher"))
}

async fn an_outcome_is_told_once(bed: &Bed) {
    add(bed, "lane").await;
    let claimed = claim(bed, Duration::from_mins(1)).await.expect("it is due");
    let request = worker().outcome(claimed.claim);
    let told = bed.bus.execute::<Lamp>(&request, "l", &Switch::Toggle).await.unwrap();
    let again = bed.bus.execute::<Lamp>(&request, "l", &Switch::Toggle).await.unwrap();
    assert_eq!((told.position, again.position, again.replayed), (1, 1, true));
    assert_eq!(again.version_of(Lamp::TYPE, "l"), 1);
    assert_eq!(claim(bed, Duration::from_mins(1)).await, None, "the work is closed");
}

async fn a_late_worker_is_fenced(bed: &Bed) {
    add(bed, "lane").await;
    let late = claim(bed, Duration::ZERO).await.expect("it is due");
    let prompt = claim(bed, Duration::from_mins(1)).await.expect("the lease ran out");
    assert_eq!((late.claim.work_id, late.claim.attempt + 1), (prompt.claim.work_id, prompt.claim.attempt));
    let fenced = bed.bus.execute::<Lamp>(&worker().outcome(late.claim), "l", &Switch::Toggle).await;
    assert!(matches!(fenced, Err(CommandError::Fenced)), "{fenced:?}");
    assert_eq!(bed.events().await, 0);
    // The control: the one who holds the claim is heard.
    bed.bus.execute::<Lamp>(&worker().outcome(prompt.claim), "l", &Switch::Toggle).await.unwrap();
    assert_eq!(bed.events().await, 1);
}
