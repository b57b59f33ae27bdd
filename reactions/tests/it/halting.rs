//! An event that cannot be read: it stops whoever must read it, nobody else, and is never skipped.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::Aggregate;
use domain::ids::ActorId;
use domain::incident::{Command, Incident};
use projections::{Decoded, Feed};
use reactions::{Doing, Options, Part, Reactions, Reactor, Registry, Status, Work};
use storage::{Append, NewEvent, StreamId, StreamWrite, Verdict};
use testbed::eventually;

use crate::bed::{Bed, on_both};
use crate::notes::{KIND, Note, Thank};

on_both!(
    who_cannot_read_halts_alone_and_goes_on_after_the_repair,
    a_reactor_that_panics_halts_alone,
    whoever_panics_beyond_reacting_begins_anew,
    a_pool_that_panics_begins_anew,
);

/// Puts an event into the log that this binary does not know; says where it stands.
async fn explode(bed: &Bed) -> u64 {
    let event = NewEvent {
        event_id: commands::ids::fresh(),
        event_type: "incident.exploded".to_owned(),
        event_version: 1,
        payload: r#"{"type":"incident.exploded"}"#.to_owned(),
    };
    let write = StreamWrite { stream: StreamId::new(Incident::TYPE, "bomb"), expected: 0, events: vec![event] };
    match bed.store().append(Append::new(commands::ids::fresh(), vec![write])).await.unwrap() {
        Verdict::Committed(receipt) => receipt.last,
        other => panic!("{other:?}"),
    }
}

fn doing(status: &Status, name: &str) -> Doing {
    status.reactors().into_iter().find(|state| state.name == name).unwrap().doing
}

/// Looks at runbooks only.
struct Other;

impl Reactor for Other {
    fn name(&self) -> &'static str {
        "other"
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["runbook"]
    }

    fn react(&self, _: &Decoded) -> Vec<Work> {
        vec![]
    }
}

/// As a newer binary would: it has no need to read what it does not look at.
struct Repaired;

impl Reactor for Repaired {
    fn name(&self) -> &'static str {
        Thank.name()
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[]
    }

    fn react(&self, _: &Decoded) -> Vec<Work> {
        vec![]
    }
}

async fn position(bed: &Bed, name: &str) -> u64 {
    let reactors = bed.store().reactors().await.unwrap();
    reactors.into_iter().find(|(known, _)| known == name).unwrap().1
}

async fn who_cannot_read_halts_alone_and_goes_on_after_the_repair(bed: &Bed) {
    let note = Note::new(&bed.bus);
    let reactions = bed.start(note.registry().reactor(Other)).await;
    bed.declare("before").await;
    let bomb = explode(bed).await;
    bed.declare("after").await;
    let head = bed.store().head().await.unwrap();
    let status = reactions.status();
    eventually("it has halted", || async { matches!(doing(&status, Thank.name()), Doing::Halted { .. }) }).await;
    let Doing::Halted { position: at, why } = doing(&status, Thank.name()) else { panic!("it has gone on") };
    assert!(at == bomb && why.contains("incident.exploded"), "{at}: {why}");
    eventually("the other one is at the end", || async { position(bed, "other").await >= head }).await;
    assert_eq!(doing(&status, "other"), Doing::Following);
    // What came before is done, what came after waits, and the bomb is not passed over.
    eventually("what came before is done", || async { bed.happened("before").await.len() == 1 }).await;
    assert_eq!((position(bed, Thank.name()).await, bed.happened("after").await.len()), (bomb - 1, 0));
    reactions.drain().await;

    let repaired = bed.start(Registry::default().reactor(Repaired)).await;
    eventually("it is past it", || async { position(bed, Thank.name()).await >= bomb }).await;
    assert_eq!(doing(&repaired.status(), Thank.name()), Doing::Following);
    repaired.drain().await;
}

/// Has a fault.
struct Panics;

impl Reactor for Panics {
    fn name(&self) -> &'static str {
        "panics"
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[Incident::TYPE]
    }

    fn react(&self, event: &Decoded) -> Vec<Work> {
        panic!("not today, {}", event.aggregate_id())
    }
}

async fn a_reactor_that_panics_halts_alone(bed: &Bed) {
    let reactions = bed.start(bed.registry().reactor(Panics)).await;
    bed.declare("i").await;
    let at = "2020-01-01T00:00:00Z".parse().unwrap();
    let by = ActorId::new("ann");
    bed.ask("i", &Command::Snooze { by, until: at, at: jiff::Timestamp::UNIX_EPOCH }).await;
    eventually("the timers go on", || async { bed.count("i", "incident.woken").await == 1 }).await;
    let status = reactions.status();
    eventually("it has halted", || async { matches!(doing(&status, "panics"), Doing::Halted { .. }) }).await;
    assert!(matches!(doing(&status, "panics"), Doing::Halted { why, .. } if why.contains("not today, i")));
    reactions.drain().await;
}

/// As [`Thank`], but asked what it looks at it panics so many times: no event is to blame.
struct Trips {
    name: &'static str,
    times: AtomicUsize,
}

impl Trips {
    fn new(name: &'static str, times: usize) -> Self {
        Self { name, times: AtomicUsize::new(times) }
    }
}

impl Reactor for Trips {
    fn name(&self) -> &'static str {
        self.name
    }

    fn aggregates(&self) -> &'static [&'static str] {
        let fewer = |left: usize| left.checked_sub(1);
        assert!(self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_err(), "tripped");
        Thank.aggregates()
    }

    fn react(&self, event: &Decoded) -> Vec<Work> {
        Thank.react(event)
    }
}

async fn whoever_panics_beyond_reacting_begins_anew(bed: &Bed) {
    let registry = Registry::default().reactor(Trips::new(KIND, 2)).reactor(Trips::new("always", usize::MAX));
    let reactions = bed.start(registry.worker(Note::new(&bed.bus))).await;
    bed.declare("i").await;
    eventually("it has gone on", || async { bed.happened("i").await.len() == 1 }).await;
    let status = reactions.status();
    assert_eq!(status.panics()[&Part::Reactor(KIND)], 2);
    assert_eq!(doing(&status, KIND), Doing::Following);
    // Control: the same fault that does not pass keeps another one where it is, and shows.
    let always = Part::Reactor("always");
    eventually("it is tried again", || async { status.panics().get(&always) >= Some(&3) }).await;
    assert_eq!(position(bed, "always").await, 0);
    eventually("it shows", || async { status.faults().iter().any(|fault| fault.part == always) }).await;
    assert!(status.faults().iter().all(|fault| fault.part == always && fault.why.contains("tripped")));
    reactions.drain().await;
}

async fn a_pool_that_panics_begins_anew(bed: &Bed) {
    // Nobody can keep a claim alive for no time at all.
    let options = Options { lease: Duration::ZERO, ..Options::default() };
    let note = Note::new(&bed.bus);
    let feed = Feed::new(bed.store().clone());
    let broken = Reactions::start(&feed, note.registry(), options).await.unwrap();
    bed.declare("i").await;
    let status = broken.status();
    eventually("it is begun again", || async { status.panics().get(&Part::Pool) >= Some(&2) }).await;
    eventually("it shows", || async { status.faults().iter().any(|fault| fault.part == Part::Pool) }).await;
    eventually("reactors go on", || async { position(bed, KIND).await >= 1 }).await;
    tokio::time::timeout(Duration::from_secs(10), broken.drain()).await.expect("it can be stopped nevertheless");
    // Control: nothing but that was wrong.
    let reactions = bed.start(note.registry()).await;
    eventually("it is done", || async { bed.happened("i").await.len() == 1 }).await;
    assert_eq!((reactions.status().panics().len(), reactions.status().faults()), (0, vec![]));
    reactions.drain().await;
}
