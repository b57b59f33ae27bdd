//! A postgres-es repository reads our aggregates out of our `events` table, as its own framework would.

use std::sync::Arc;

use bench::load::{STREAM_LENGTH, Side, new_stream};
use bench::peers::{Ours, PostgresEs};
use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore};
use cqrs_es::{AggregateContext, EventStore};
use domain::cqrs::Adapted;
use domain::incident::Incident;
use peer_sqlx::postgres::PgPool;
use testbed::Cluster;

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_es_repository_reads_our_log() {
    let url = Cluster::shared().database().await;
    let ours = Arc::new(Ours::open(&url).await);
    let (stream, other) = (new_stream(), new_stream());
    for step in 0..STREAM_LENGTH {
        ours.command(&stream, step).await;
        ours.command(&other, step).await;
    }
    let (expected, version, _) = ours.bus.look::<Incident>(&stream).await.unwrap().expect("it was declared");

    let pool = PgPool::connect(&url).await.unwrap();
    let repository = PostgresEs::repository(pool.clone());
    let events = repository.get_events::<Adapted<Incident>>(&stream).await.unwrap();
    assert_eq!(events.len() as u64, version);
    assert_eq!(events[0].event_type, "incident.declared");
    assert_eq!(events[0].metadata["actor_id"], "bench");

    let store = PersistedEventStore::<_, Adapted<Incident>>::new_event_store(PostgresEs::repository(pool));
    let mut context = store.load_aggregate(&stream).await.unwrap();
    assert_eq!(context.aggregate().0, *expected, "the peer folds our events to our state");

    // The control: a stream that is not there folds to nothing, so the equality above says something.
    let mut nothing = store.load_aggregate("no-such-stream").await.unwrap();
    assert_ne!(nothing.aggregate().0, *expected);
}
