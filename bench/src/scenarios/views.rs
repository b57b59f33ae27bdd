//! Views that catch up with a long log or are built anew from it, beside cqrs-es's `GenericQuery` and `QueryReplay`; and
//! whether all of ours together keep up with the bus.

use std::sync::Arc;
use std::time::{Duration, Instant};

use commands::ids;
use projections::incidents::IncidentDetail;
use projections::registry::{self, Registration, VIEWS};
use projections::{Feed, View, Views};
use storage::documents::Table;
use storage::{Config, Store};
use testbed::Cluster;
use uuid::Uuid;

use super::{Effort, lag};
use crate::load::{STREAM_LENGTH, run};
use crate::logs::{self, ABREAST};
use crate::peers::{Ours, ViewOfThePeer};
use crate::report::{Line, Promise, median};

const LENGTH: u64 = STREAM_LENGTH as u64;
/// What the views have folded before they stand still: one block of the log.
const FOLDED: u64 = LENGTH * ABREAST;
const PATIENCE: Duration = Duration::from_mins(10);

/// How the peer's view is told of events.
struct Telling {
    what: &'static str,
    tasks: usize,
    synchronous: bool,
    promise: Promise,
}

const TELLINGS: [Telling; 3] = [
    Telling { what: "one after the other", tasks: 1, synchronous: true, promise: Promise::AtLeast(15.0) },
    Telling { what: "by 16 at once", tasks: 16, synchronous: true, promise: Promise::None },
    Telling { what: "by 16 at once, not waiting for the disk", tasks: 16, synchronous: false, promise: Promise::None },
];

/// A database in which all views have folded a beginning and stood still while the log grew: as after a node was down.
struct Behind {
    url: String,
    me: Uuid,
    events: u64,
}

impl Behind {
    async fn made(cluster: &Cluster, events: u64) -> Self {
        let (url, events, me) = (cluster.database().await, logs::rounded(events, LENGTH), ids::fresh());
        let store = Store::open(&Config::new(&url)).await.expect("our store opens");
        logs::fill(&url, 0, FOLDED, LENGTH).await;
        drop(caught_up(&store, me, VIEWS, FOLDED).await);
        drop(store);
        logs::fill(&url, FOLDED, events, LENGTH).await;
        Self { url, me, events }
    }

    async fn copy(&self, cluster: &Cluster, name: &str) -> Store {
        let url = logs::copy(cluster, &self.url, name).await;
        Store::open(&Config::new(url)).await.expect("our store opens")
    }
}

/// Starts views and waits until they have folded everything.
async fn caught_up(store: &Store, me: Uuid, views: &[Registration], head: u64) -> Views {
    let views = Views::start(&Feed::new(store.clone()), me, views);
    for standing in views.standings() {
        views.reach(standing.name, head, PATIENCE).await.expect("it catches up");
    }
    views
}

/// Events a second of all that is measured, a figure for each round.
#[derive(Default)]
struct Rates {
    one: Vec<f64>,
    all: Vec<f64>,
    rebuild: Vec<f64>,
    peak: Vec<f64>,
    peers: [Vec<f64>; TELLINGS.len()],
    replay: Vec<f64>,
}

pub async fn views(cluster: &Cluster, effort: Effort) -> Vec<Line> {
    let behind = Behind::made(cluster, effort.events).await;
    let (sample, events) = logs::filled(cluster, effort.sample, LENGTH).await;
    let bus = Arc::new(Ours::open(&cluster.database().await).await);
    run(&bus, 64, effort.commands / 4).await;
    let mut rates = Rates::default();
    for round in 0..effort.rounds.min(5) {
        rates.of_ours(cluster, &behind, round).await;
        rates.peak.push(run(&bus, 64, effort.commands).await.rate());
        rates.of_the_peer(&sample, events, round).await;
    }
    same_document(cluster, &behind, &sample).await;
    let peak = median(&rates.peak);
    let mut lines = rates.lines(behind.events, events);
    lines.push(lag::lag(cluster, effort, peak).await);
    lines
}

#[expect(clippy::cast_precision_loss, reason = "a million is far from the limit")]
fn rate(events: u64, begun: Instant) -> f64 {
    events as f64 / begun.elapsed().as_secs_f64()
}

impl Rates {
    async fn of_ours(&mut self, cluster: &Cluster, behind: &Behind, round: usize) {
        let (events, documents) = (behind.events, behind.events / LENGTH);
        let detail = registry::view(IncidentDetail::NAME).expect("it is registered");

        let store = behind.copy(cluster, &format!("one_view_{round}")).await;
        let begun = Instant::now();
        let views = caught_up(&store, behind.me, &[*detail], events).await;
        self.one.push(rate(events - FOLDED, begun));
        let table = views.standing(detail.name).and_then(|standing| standing.table).expect("it is open");
        assert_eq!(folded(&store, &table).await, (events, documents), "every event counts once");
        drop(views);

        let begun = Instant::now();
        let built = detail.rebuild(&store, &mut |_| {}).await.expect("it is rebuilt");
        self.rebuild.push(rate(built.events, begun));
        assert_eq!((built.events, built.documents), (events, documents), "every event counts once");
        let (table, _) = store.open_view(&IncidentDetail::shape()).await.expect("it is there");
        assert_eq!(folded(&store, &table).await, (events, documents), "every event counts once");

        let store = behind.copy(cluster, &format!("all_views_{round}")).await;
        let begun = Instant::now();
        let views = caught_up(&store, behind.me, VIEWS, events).await;
        self.all.push(rate(events - FOLDED, begun));
        let table = views.standing(detail.name).and_then(|standing| standing.table).expect("it is open");
        assert_eq!(folded(&store, &table).await, (events, documents), "every event counts once");
    }

    async fn of_the_peer(&mut self, url: &str, events: u64, round: usize) {
        let expected = (events, events / LENGTH);
        let streams = logs::streams(url, events / LENGTH).await;
        for (n, (telling, rates)) in TELLINGS.iter().zip(&mut self.peers).enumerate() {
            let connections = u32::try_from(telling.tasks).expect("they are few");
            let table = format!("view_{round}_{n}");
            let view = ViewOfThePeer::open(url, &table, connections, telling.synchronous).await;
            let envelopes = view.envelopes(&streams).await;
            let begun = Instant::now();
            view.dispatch(envelopes, telling.tasks).await;
            rates.push(rate(events, begun));
            assert_eq!(view.counts().await, expected, "every event counts once");
        }
        let view = ViewOfThePeer::open(url, &format!("replay_{round}"), 1, true).await;
        let begun = Instant::now();
        view.replay().await;
        self.replay.push(rate(events, begun));
        assert_eq!(view.counts().await, expected, "every event counts once");
    }

    fn lines(&self, events: u64, sample: u64) -> Vec<Line> {
        let line = |what: String, promise, ours: &[f64], peer: &[f64]| Line {
            what,
            promise,
            ours: format!("{:.0} events/s", median(ours)),
            peer: format!("{:.0}/s", median(peer)),
            ratios: ours.iter().zip(peer).map(|(ours, peer)| ours / peer).collect(),
        };
        let mut lines: Vec<Line> = TELLINGS
            .iter()
            .zip(&self.peers)
            .map(|(telling, peer)| {
                let how = telling.what;
                let what = format!("a view catches up with {events} events ÷ GenericQuery with {sample}, {how}");
                line(what, telling.promise, &self.one, peer)
            })
            .collect();
        let what = format!("rebuild from {events} events ÷ QueryReplay from {sample}");
        lines.push(line(what, Promise::AtLeast(100.0), &self.rebuild, &self.replay));
        let what = format!("all {} views catch up with {events} events ÷ the bus at its peak", VIEWS.len());
        lines.push(line(what, Promise::AtLeast(0.4), &self.all, &self.peak));
        lines
    }
}

/// How many events are folded into how many documents.
async fn folded(store: &Store, table: &Table) -> (u64, u64) {
    let (mut events, mut documents, mut last) = (0, 0, None);
    loop {
        let part = store.all_documents(table, last.as_deref(), 1_000).await.expect("documents");
        let Some(end) = part.last() else { return (events, documents) };
        last = Some(end.key.clone());
        documents += part.len() as u64;
        for document in part {
            let document: IncidentDetail = serde_json::from_str(&document.body).expect("it reads back");
            events += document.version;
        }
    }
}

/// Both sides fold the same document, but for the times that the peer does not have.
async fn same_document(cluster: &Cluster, behind: &Behind, sample: &str) {
    let store = behind.copy(cluster, "same_document").await;
    let key = logs::streams(sample, 1).await.remove(0);
    let (table, _) = store.open_view(&IncidentDetail::shape()).await.expect("it is there");
    let ours = store.load_documents(&table, std::slice::from_ref(&key)).await.expect("documents").remove(0);
    let ours: IncidentDetail = serde_json::from_str(&ours.body).expect("it reads back");
    let view = ViewOfThePeer::open(sample, "same_document", 1, true).await;
    view.dispatch(view.envelopes(std::slice::from_ref(&key)).await, 1).await;
    let peer = view.document(&key).await.expect("it was folded");
    assert_ne!(ours, peer);
    assert_eq!(IncidentDetail { created_at: peer.created_at, updated_at: peer.updated_at, ..ours }, peer);
}
