//! cqrs-es's own way to keep a view: a `GenericQuery` over postgres-es's view repository, one load and one write for
//! each event. It folds the same document as ours.

use std::sync::Arc;

use cqrs_es::persist::{GenericQuery, PersistedEventStore, QueryReplay};
use cqrs_es::{EventEnvelope, EventStore, Query, View};
use domain::cqrs::Adapted;
use domain::incident::event::Event;
use domain::incident::{Incident, Status};
use peer_sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use peer_sqlx::{Executor, Row};
use postgres_es::{PostgresEventRepository, PostgresViewRepository};
use projections::incidents::IncidentDetail;
use serde::{Deserialize, Serialize};

/// Our document as its view. Its envelopes carry no time, so the times stay empty: a little less to write.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Detail(pub IncidentDetail);

impl View<Adapted<Incident>> for Detail {
    fn update(&mut self, event: &EventEnvelope<Adapted<Incident>>) {
        let document = &mut self.0;
        event.aggregate_id.clone_into(&mut document.id);
        document.version = event.sequence as u64;
        match &event.payload {
            Event::Declared(declared) => {
                let declared = declared.clone();
                document.status = Status::Open;
                document.title = declared.title;
                document.summary = declared.summary;
                document.severity = declared.severity;
                document.labels = declared.labels;
                document.service_ids = declared.service_ids;
                document.team_id = declared.team_id;
                document.source = declared.source;
                document.links = declared.links;
                document.custom_fields = declared.custom_fields;
                document.responders = declared.responders;
                document.created_by = Some(declared.by);
            }
            Event::NoteAdded { .. } => document.notes += 1,
            other => panic!("the load has no such event: {other:?}"),
        }
    }
}

type Repository = PostgresViewRepository<Detail, Adapted<Incident>>;
type Envelopes = Vec<EventEnvelope<Adapted<Incident>>>;

pub struct ViewOfThePeer {
    pool: PgPool,
    table: String,
}

impl ViewOfThePeer {
    /// An empty view of the log at `url`, written through as many connections as there are dispatchers.
    pub async fn open(url: &str, table: &str, connections: u32, synchronous: bool) -> Self {
        let options: PgConnectOptions = url.parse().expect("a URL");
        let options = options.options([("synchronous_commit", if synchronous { "on" } else { "off" })]);
        let pool = PgPoolOptions::new().max_connections(connections + 1).min_connections(connections);
        let pool = pool.test_before_acquire(false).connect_with(options).await.expect("the peer's database is there");
        // As its own `db/init.sql` makes it.
        let sql = format!(
            "CREATE TABLE {table} (view_id text NOT NULL, version bigint CHECK (version >= 0) NOT NULL,
                                   payload json NOT NULL, PRIMARY KEY (view_id))"
        );
        pool.execute(sql.as_str()).await.expect("the peer's table");
        Self { pool, table: table.to_owned() }
    }

    fn query(&self) -> GenericQuery<Repository, Detail, Adapted<Incident>> {
        let repository = PostgresViewRepository::new(&self.table, self.pool.clone());
        let mut query = GenericQuery::new(Arc::new(repository));
        query.use_error_handler(Box::new(|error| panic!("the peer's view: {error}")));
        query
    }

    fn repository(&self) -> PostgresEventRepository {
        PostgresEventRepository::new(self.pool.clone())
    }

    /// The events of each stream, read beforehand.
    pub async fn envelopes(&self, streams: &[String]) -> Vec<Envelopes> {
        let store = PersistedEventStore::<_, Adapted<Incident>>::new_event_store(self.repository());
        let mut envelopes = Vec::with_capacity(streams.len());
        for stream in streams {
            envelopes.push(store.load_events(stream).await.expect("the peer reads our log"));
        }
        envelopes
    }

    /// Dispatches the events of these streams by so many tasks, each with streams of its own, whose events take turns
    /// as they do in the log.
    pub async fn dispatch(&self, streams: Vec<Envelopes>, tasks: usize) {
        let query = Arc::new(self.query());
        let mut shares: Vec<Vec<Envelopes>> = (0..tasks).map(|_| Vec::new()).collect();
        for (n, stream) in streams.into_iter().enumerate() {
            shares[n % tasks].push(stream);
        }
        let tasks: Vec<_> = shares
            .into_iter()
            .map(|share| {
                let query = query.clone();
                tokio::spawn(async move {
                    let longest = share.iter().map(Vec::len).max().unwrap_or_default();
                    for step in 0..longest {
                        for event in share.iter().filter_map(|stream| stream.get(step)) {
                            query.dispatch(&event.aggregate_id, std::slice::from_ref(event)).await;
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("the peer's view has no errors");
        }
    }

    /// Replays the whole log into the view.
    pub async fn replay(&self) {
        let mut replay = QueryReplay::new(self.repository(), self.query());
        replay.use_error_handler(Box::new(|error| panic!("the peer's replay: {error}")));
        replay.replay_all().await.expect("the peer replays");
    }

    /// How many events are folded into how many documents.
    pub async fn counts(&self) -> (u64, u64) {
        let sql = format!("SELECT coalesce(sum(version), 0)::bigint, count(*) FROM {}", self.table);
        let row = peer_sqlx::query(&sql).fetch_one(&self.pool).await.expect("a count");
        (row.get::<i64, _>(0).unsigned_abs(), row.get::<i64, _>(1).unsigned_abs())
    }

    pub async fn document(&self, key: &str) -> Option<IncidentDetail> {
        self.query().load(key).await.map(|Detail(document)| document)
    }
}
