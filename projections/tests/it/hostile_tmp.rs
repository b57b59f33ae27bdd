use std::time::{Duration, Instant};

use domain::Aggregate;
use domain::incident::Incident;
use histories::History;
use projections::incidents::IncidentDetail;
use projections::registry::{Registration, register, view};
use projections::view::Origin;
use projections::{Decoded, Phase, View, oversight, overview, timeline};
use serde::{Deserialize, Serialize};
use serde_json::json;
use storage::documents::{Halt, HaltKind};

use crate::bed::{Bed, PATIENCE, settled, start, start_with};
use crate::given::{declared, note, recorded};

#[tokio::test(flavor = "multi_thread")]
async fn a_overview() {
    let bed = Bed::sqlite();
    let store = bed.store().await;
    let other = bed.store().await;
    let views = start(&store);
    recorded(&store, "x", 0, &[declared("x")]).await;
    settled(&views).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    println!("before {:?}", overview::read(&views).await.unwrap().incidents);
    view("incidents").unwrap().rebuild(&other, &mut |_| {}).await.unwrap();
    let begun = Instant::now();
    for _ in 0..12 {
        println!("A after {:?} {:?}", begun.elapsed(), overview::read(&views).await.map(|o| o.incidents.by_status));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b_boundary() {
    let bed = Bed::sqlite();
    let store = bed.store().await;
    recorded(&store, "a", 0, &[declared("a")]).await;
    for n in 0..7u64 {
        let notes: Vec<_> = (0..570).map(|_| note()).collect();
        recorded(&store, "a", 1 + n * 570, &notes).await;
    }
    let mut b = vec![declared("b"), json!({"type": "incident.note_added", "by": "ann"})];
    b.extend((0..28).map(|_| note()));
    recorded(&store, "b", 0, &b).await;
    let views = start(&store);
    views.reach("incidents", store.head().await.unwrap(), PATIENCE).await.unwrap();
    let (live, _) = views.find::<IncidentDetail>("b").await.unwrap();
    let live = live.unwrap();
    println!(
        "B live parked {:?} pos {} counts {:?}",
        live.parked.is_some(),
        live.position,
        views.counts::<IncidentDetail>().await.unwrap().0
    );
    let (table, _) =
        view("incidents").unwrap().generation(&store, store.head().await.unwrap(), &mut |_| {}).await.unwrap();
    let built = store.load_documents(&table, &["b".to_owned()]).await.unwrap().pop().unwrap();
    println!(
        "B built parked {:?} pos {} body {} counts {:?}",
        built.parked,
        built.position,
        &built.body[..120],
        store.view_counts(&table).await.unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn c_unpark() {
    let bed = Bed::sqlite();
    let store = bed.store().await;
    let views = start(&store);
    let poison = recorded(&store, "bad", 0, &[json!({"type": "incident.declared", "by": "ann"})]).await;
    views.reach("incidents", poison, PATIENCE).await.unwrap();
    println!("C counts {:?}", views.counts::<IncidentDetail>().await.unwrap().0);
    let v = view("incidents").unwrap();
    println!("C skip {:?}", oversight::skip(&store, v, poison, "w").await);
    for _ in 0..3 {
        println!("C unpark {:?}", v.unpark(&store, "bad").await);
        println!(
            "C counts {:?} parked {:?}",
            views.counts::<IncidentDetail>().await.unwrap().0,
            views.find::<IncidentDetail>("bad").await.unwrap().0.map(|s| s.parked)
        );
    }
    // The timeline halted at position 1 in a fresh view: is it served?
    println!(
        "E timeline {:?} find {:?}",
        views.standing(timeline::Entry::NAME).map(|s| (s.phase, s.position, s.halt)),
        views.find::<timeline::Entry>("x").await.map(|f| f.1)
    );
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Heavy {
    text: String,
    n: u64,
}

impl View for Heavy {
    const NAME: &'static str = "heavy_of_the_tests";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] = &[Incident::TYPE];
    const ORIGIN: Origin = Origin::Event;
    const SEARCHED: bool = true;

    fn keys(event: &Decoded) -> Vec<String> {
        vec![format!("{:019}", event.position())]
    }

    fn apply(&mut self, event: &Decoded) {
        self.n = event.position();
        self.text = "x".repeat(6_000);
    }

    fn terms(&self) -> Vec<String> {
        (0..100).map(|t| format!("w{}", self.n * 7 + t)).collect()
    }
}

const HEAVY: &[Registration] = &[register::<Heavy>()];

#[tokio::test(flavor = "multi_thread")]
async fn d_deadlock() {
    let bed = Bed::sqlite();
    let store = bed.store().await;
    History::new(5, 12).tell(&store, 25_000).await;
    // The view must exist before a rebuild by hand.
    let begun = Instant::now();
    let built = HEAVY[0].generation(&store, store.head().await.unwrap(), &mut |_| {}).await.unwrap();
    println!("D by hand {:?} {:?}", begun.elapsed(), built.1);
    store.abandon_build(&built.0).await.unwrap();
    let begun = Instant::now();
    let views = start_with(&store, HEAVY);
    let mut last = None;
    while begun.elapsed() < Duration::from_secs(80) {
        let standing = views.standing(Heavy::NAME).unwrap();
        if standing.trouble != last {
            println!("D {:?} trouble {:?}", begun.elapsed(), standing.trouble);
            last = standing.trouble.clone();
        }
        if standing.phase == Phase::Live {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("D in place {:?} {:?}", begun.elapsed(), views.standing(Heavy::NAME).unwrap().phase);
}

#[tokio::test(flavor = "multi_thread")]
async fn f_bulk_poison() {
    let bed = Bed::sqlite();
    let store = bed.store().await;
    let poison = recorded(&store, "bad", 0, &[json!({"type": "incident.declared", "by": "ann"})]).await;
    History::new(5, 12).tell(&store, 21_000).await;
    let views = start(&store);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(8) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let name = timeline::Entry::NAME;
    println!("F {:?}", views.standing(name));
    println!("F row {:?}", store.view_row(name, 1).await.unwrap());
    println!("F skip {:?}", oversight::skip(&store, view(name).unwrap(), poison, "w").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn h_livelock() {
    let bed = Bed::sqlite();
    let store = bed.store().await;
    let views = start(&store);
    let before = recorded(&store, "a", 0, &[declared("a")]).await;
    settled(&views).await;
    let name = IncidentDetail::NAME;
    store.pause_view(name, 1).await.unwrap();
    let p = recorded(&store, "a", 1, &[note()]).await;
    let halt = Halt { kind: HaltKind::Unknown, position: p, why: "old".to_owned() };
    store.halt_view(name, 1, 1, before, &halt).await.unwrap();
    let old = bed.store().await;
    let task = tokio::spawn(async move {
        let mut halted = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let _ = old.head().await;
            let row = old.view_row("incidents", 1).await.unwrap().unwrap();
            if row.position >= p {
                return halted;
            }
            if row.halt.is_none()
                && !row.paused
                && old.halt_view("incidents", 1, row.generation, before, &halt).await.unwrap()
            {
                halted += 1;
            }
        }
    });
    // The pause ends, the halt is still there.
    tokio::time::sleep(Duration::from_millis(200)).await;
    store.resume_view(name, 1).await.unwrap();
    let begun = Instant::now();
    let reached = tokio::time::timeout(Duration::from_secs(30), task).await;
    println!(
        "H {:?} halted again {:?} times; position {:?}",
        begun.elapsed(),
        reached,
        store.view_row(name, 1).await.unwrap().map(|r| (r.position, r.halt))
    );
}
