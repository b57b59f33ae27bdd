//! What a detail and a page of a list read in a view of ten thousand documents and in one of a million.

use domain::ids::TeamId;
use domain::incident::{Severity, Status};
use jiff::Timestamp;
use projections::View;
use projections::incidents::IncidentDetail;
use projections::lists::{IncidentList, Teams};
use sqlx::{Connection, PgConnection};
use storage::documents::{Document, Query, Table};
use storage::{Config, Store};
use testbed::Cluster;

use super::Effort;
use crate::logs::alone;
use crate::report::{Line, Promise, median};

const SMALL: u64 = 10_000;
/// Documents that go in with one call.
const AT_ONCE: u64 = 4_000;
/// Reads whose pages are counted together.
const READS: u64 = 200;
const TEAMS: u64 = 20;

/// Pages of the table, its indexes and what is stored out of line, found in memory or not.
const PAGES: &str = "
SELECT (sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0)
            + coalesce(toast_blks_read + toast_blks_hit, 0) + coalesce(tidx_blks_read + tidx_blks_hit, 0)))::bigint
  FROM pg_statio_user_tables WHERE relname LIKE 'view\\_incidents\\_%'";

/// What is asked for.
enum Read {
    Detail,
    List(Box<Query>),
}

pub async fn reads(cluster: &Cluster, effort: Effort) -> Vec<Line> {
    let small = filled(cluster, SMALL).await;
    let large = filled(cluster, effort.large).await;
    let mut lines = Vec::new();
    for (what, read) in asked() {
        let (mut few, mut many, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..effort.rounds.min(3) {
            few.push(pages(&small, SMALL, &read).await);
            many.push(pages(&large, effort.large, &read).await);
            ratios.push(many[many.len() - 1] / few[few.len() - 1]);
        }
        lines.push(Line {
            what: format!("pages read of {} documents ÷ of {SMALL}: {what}", effort.large),
            promise: Promise::AtMost(1.25),
            ours: format!("{:.2} pages", median(&many)),
            peer: format!("{:.2} pages", median(&few)),
            ratios,
        });
    }
    lines
}

fn asked() -> Vec<(&'static str, Read)> {
    let newest = IncidentList { limit: 50, ..IncidentList::default() };
    let open = IncidentList { statuses: vec![Status::Open], ..newest.clone() };
    let team = Teams::Only(vec![Some(team(7))]);
    let active = IncidentList { teams: team, statuses: IncidentList::ACTIVE.into(), ..newest.clone() };
    let list = |list: IncidentList| Read::List(Box::new(list.query()));
    vec![
        ("a detail", Read::Detail),
        ("the 50 newest", list(newest)),
        ("the 50 newest open", list(open)),
        ("the 50 newest open or acknowledged of a team", list(active)),
    ]
}

fn team(n: u64) -> TeamId {
    TeamId::new(key(n))
}

/// As our ids are: growing with time.
fn key(n: u64) -> String {
    let scattered = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (a, b) = (scattered >> 52, scattered & 0xffff_ffff_ffff);
    format!(
        "{:08x}-{:04x}-7{a:03x}-8{:03x}-{b:012x}",
        (1_767_225_600_000 + n) >> 16,
        (1_767_225_600_000 + n) & 0xffff,
        a
    )
}

/// One in ten is open, one in ten acknowledged; twenty teams.
fn document(n: u64) -> Document {
    let chance = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let status = match chance % 10 {
        0 => Status::Open,
        1 => Status::Acknowledged,
        _ => Status::Resolved,
    };
    let at = Timestamp::from_second((1_767_225_600 + n).cast_signed()).expect("it is this century");
    let detail = IncidentDetail {
        id: key(n),
        status,
        title: format!("Checkout answers slowly in Frankfurt, {n}"),
        summary: "The pool of the payment service was exhausted; raised it to 80 and watching.".repeat(3),
        severity: [Severity::Sev1, Severity::Sev2, Severity::Sev3][usize::from(chance % 3 == 1)],
        team_id: Some(team(chance / 10 % TEAMS)),
        created_at: at,
        updated_at: at,
        version: 4,
        ..IncidentDetail::default()
    };
    Document {
        position: n + 1,
        body: serde_json::to_string(&detail).expect("it is JSON"),
        columns: detail.columns(),
        terms: detail.terms(),
        parked: None,
        key: detail.id,
    }
}

/// A database with so many documents.
async fn filled(cluster: &Cluster, count: u64) -> String {
    let url = cluster.database().await;
    let store = Store::open(&Config::new(&url)).await.expect("our store opens");
    let build = store.begin_build(&IncidentDetail::shape()).await.expect("a build");
    let mut next = 0;
    while next < count {
        let part: Vec<Document> = (next..count.min(next + AT_ONCE)).map(document).collect();
        store.fill(&build, &part, &[], &[]).await.expect("documents go in");
        next += AT_ONCE;
    }
    store.finish_build(&build, count).await.expect("indexes");
    assert!(store.promote_build(&build, count).await.expect("it is put in place"));
    let database = url.rsplit('/').next().expect("a URL ends with a database");
    cluster.execute(database, "VACUUM ANALYZE").await;
    url
}

async fn counted(url: &str) -> i64 {
    alone(url).await;
    let mut connection = PgConnection::connect(url).await.expect("the database is there");
    let pages = sqlx::query_scalar(PAGES).fetch_one(&mut connection).await.expect("statistics");
    connection.close().await.expect("it ends");
    pages
}

/// Pages that such a read takes. A session tells what it has counted when it ends.
async fn pages(url: &str, documents: u64, read: &Read) -> f64 {
    let before = counted(url).await;
    let store = Store::open(&Config::new(url)).await.expect("our store opens");
    let (table, _) = store.open_view(&IncidentDetail::shape()).await.expect("the view is there");
    for n in 0..READS {
        // Spread over all of them by a stride that is prime to their number.
        found(&store, &table, read, n * 7919 % documents).await;
    }
    drop((store, table));
    #[expect(clippy::cast_precision_loss, reason = "pages of some reads are few")]
    let pages = (counted(url).await - before) as f64 / READS as f64;
    pages
}

async fn found(store: &Store, table: &Table, read: &Read, n: u64) {
    match read {
        Read::Detail => {
            let found = store.load_documents(table, &[key(n)]).await.expect("documents");
            assert_eq!((found.len(), found[0].position), (1, n + 1));
        }
        Read::List(query) => assert_eq!(store.query_documents(table, query).await.expect("documents").len(), 50),
    }
}
