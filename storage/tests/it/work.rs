//! Work that the tests put into the queue and claim.

use std::time::Duration;

use storage::Store;
use storage::work::{Claim, Claimed, NewWork};

use crate::commands::{HOUR, fresh};

/// The kind of all work here, unless a test says otherwise.
pub(crate) const KIND: &str = "notify";

pub(crate) fn work(lane: &str, n: i32) -> NewWork {
    NewWork {
        id: fresh(),
        kind: KIND.to_owned(),
        lane: lane.to_owned(),
        priority: 0,
        payload: "{}".to_owned(),
        run_at_us: None,
        created_position: 0,
        n,
    }
}

/// A claim on new work, for longer than any test takes.
pub(crate) async fn claimed(store: &Store, lane: &str) -> Claim {
    store.add_work(&[work(lane, 0)]).await.expect("work is added");
    claim(store, HOUR).await
}

/// The claim on the next work that is due.
pub(crate) async fn claim(store: &Store, lease: Duration) -> Claim {
    next(store, lease).await.expect("work is due").claim
}

/// The next work that is due, claimed.
pub(crate) async fn next(store: &Store, lease: Duration) -> Option<Claimed> {
    store.claim_work(&[KIND], 1, lease).await.expect("the queue answers").pop()
}
