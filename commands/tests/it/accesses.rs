//! What partners ask for is recorded before it is served: in batches, each row once, or it is said that it was not.

use std::collections::BTreeSet;

use commands::accesses::{Access, AccessLog, of_grant};
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::bed::{Bed, on_both};

on_both!(many_at_once_share_a_batch, what_cannot_be_recorded_is_said);

const AT_ONCE: usize = 300;

fn access(grant: &str, request: usize) -> Access {
    Access {
        at: Timestamp::UNIX_EPOCH,
        request_id: format!("r-{request}"),
        grant_id: grant.into(),
        grant_version: 1,
        secret_id: "s".to_owned(),
        token_id: None,
        method: "GET".to_owned(),
        route: "/".to_owned(),
        page_id: None,
        components: vec![],
        allowed: true,
        reason: None,
        status: 200,
        bytes: 1,
        address: None,
        client: None,
    }
}

async fn many_at_once_share_a_batch(bed: &Bed) {
    let log = AccessLog::start(&bed.bus);
    let grants = ["g1", "g2"];
    let all = join_all((0..AT_ONCE).map(|n| log.record(access(grants[n % 2], n)))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    let events = bed.events().await;
    println!("{AT_ONCE} accesses in {events} events");
    assert!(events < AT_ONCE as u64 / 10, "{events} events for {AT_ONCE} accesses");
    let mut seen = BTreeSet::new();
    for grant in grants {
        let rows = of_grant(bed.bus.store(), grant, (0, 0), AT_ONCE).await.unwrap();
        assert_eq!(rows.len(), AT_ONCE / 2, "each is there, and nobody else's");
        seen.extend(rows.iter().map(|row| serde_json::from_slice::<Access>(&row.body).unwrap().request_id));
    }
    assert_eq!(seen.len(), AT_ONCE, "each once");
}

async fn what_cannot_be_recorded_is_said(bed: &Bed) {
    let log = AccessLog::start(&bed.bus);
    assert!(log.record(access("not an id", 0)).await.is_err());
    assert_eq!(bed.events().await, 0);
    // The control: the next one is.
    log.record(access("g1", 1)).await.unwrap();
    assert_eq!(bed.events().await, 1);
}
