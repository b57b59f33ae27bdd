//! Work that the tests put into the queue and claim.

use std::time::Duration;

use storage::Store;
use storage::work::{Claim, NewWork};

use crate::commands::{HOUR, fresh};

pub(crate) fn work(lane: &str, n: i32) -> NewWork {
    NewWork {
        id: fresh(),
        kind: "notify".to_owned(),
        lane: lane.to_owned(),
        priority: 0,
        payload: "{}".to_owned(),
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
    store.claim_work(lease).await.expect("the queue answers").expect("work is due").claim
}
