//! How runs end that do not simply succeed, and how a process ends while they run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use projections::Feed;
use reactions::{Assignment, Options, Outcome, Part, Reactions, Worker};
use storage::work::WorkState;
use testbed::eventually;

use crate::bed::{Bed, on_both, short_lease};
use crate::notes::{KIND, Note, Stop, Thank};

on_both!(
    a_panic_is_tried_again,
    a_run_that_panics_beyond_its_worker_loses_its_claim,
    who_always_fails_is_given_up,
    drains_and_lost_claims_use_up_no_tries,
    a_failure_is_shown_and_retried_by_hand,
    what_takes_too_long_is_cut_off,
    a_drain_lets_end_what_ends_in_time,
    a_drain_gives_back_what_does_not,
    a_run_that_lost_its_claim_is_cut_short,
    no_more_runs_than_slots,
    paused_work_waits,
);

const NOTE: &str = "incident.note_added";

/// Says the same whatever it is asked.
struct Says(Outcome, Arc<AtomicUsize>);

impl Worker for Says {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run(&self, _: Assignment) -> BoxFuture<'_, Outcome> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { self.0.clone() })
    }

    fn attempts(&self) -> i32 {
        3
    }
}

/// Never ends by itself.
struct Sleeps;

impl Worker for Sleeps {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run(&self, _: Assignment) -> BoxFuture<'_, Outcome> {
        Box::pin(std::future::pending())
    }

    fn attempts(&self) -> i32 {
        1
    }

    fn time(&self) -> Duration {
        Duration::from_millis(200)
    }
}

async fn first_is(bed: &Bed, state: WorkState) {
    eventually("the work is as it should be", || async {
        bed.work().await.first().is_some_and(|row| row.state == state)
    })
    .await;
}

fn registry(worker: impl Worker) -> reactions::Registry {
    reactions::Registry::default().reactor(Thank).worker(worker)
}

async fn a_panic_is_tried_again(bed: &Bed) {
    let note = Note::stopping_at(&bed.bus, Stop::Panicking, 1);
    let reactions = bed.start(note.registry()).await;
    bed.declare("i").await;
    first_is(bed, WorkState::Done).await;
    let row = bed.work().await.remove(0);
    assert_eq!((bed.count("i", NOTE).await, row.attempt, note.begun()), (1, 2, 2));
    assert_eq!(reactions.status().outcomes()[KIND].retried, 1);
    reactions.drain().await;
}

/// Writes notes, but panics so many times when it is asked how often it may try.
#[derive(Clone)]
struct Trips {
    note: Note,
    times: Arc<AtomicUsize>,
}

impl Worker for Trips {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run(&self, assignment: Assignment) -> BoxFuture<'_, Outcome> {
        self.note.run(assignment)
    }

    fn attempts(&self) -> i32 {
        let fewer = |left: usize| left.checked_sub(1);
        assert!(self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_err(), "tripped");
        3
    }
}

async fn a_run_that_panics_beyond_its_worker_loses_its_claim(bed: &Bed) {
    let trips = Trips { note: Note::stopping_at(&bed.bus, Stop::BeforeTelling, 1), times: Arc::default() };
    let feed = Feed::new(bed.store().clone());
    let reactions = Reactions::start(&feed, registry(trips.clone()), short_lease()).await.unwrap();
    bed.declare("held").await;
    eventually("it is on its way", || async { trips.note.waiting() == 1 }).await;
    trips.times.store(1, Ordering::SeqCst);
    bed.declare("i").await;
    let row = async |id: &str| bed.work().await.into_iter().find(|row| row.lane == id);
    eventually("it is done by another run", || async {
        row("i").await.is_some_and(|row| (row.state, row.attempt) == (WorkState::Done, 2))
    })
    .await;
    assert_eq!(reactions.status().panics()[&Part::Run(KIND)], 1);
    // Control: a run that lives is not taken from its claim, though its lease would have ended before.
    let held = row("held").await.unwrap();
    assert_eq!((held.state, held.attempt), (WorkState::Claimed, 1));
    trips.note.go_on.add_permits(1);
    reactions.drain().await;
}

async fn who_always_fails_is_given_up(bed: &Bed) {
    let runs = Arc::new(AtomicUsize::new(0));
    let again = Outcome::Retry { after: Some(Duration::from_millis(5)), error: "no luck".to_owned() };
    let reactions = bed.start(registry(Says(again, runs.clone()))).await;
    bed.declare("i").await;
    first_is(bed, WorkState::Failed).await;
    let row = bed.work().await.remove(0);
    assert_eq!((row.attempt, runs.load(Ordering::SeqCst)), (3, 3));
    assert!(row.last_error.unwrap().contains("given up after 3 attempts: no luck"));
    let outcomes = reactions.status().outcomes()[KIND];
    assert_eq!((outcomes.retried, outcomes.failed), (2, 1));
    reactions.drain().await;
}

async fn drains_and_lost_claims_use_up_no_tries(bed: &Bed) {
    // Asked for, and claimed by nobody.
    let asking = bed.start(reactions::Registry::default().reactor(Thank)).await;
    bed.declare("i").await;
    first_is(bed, WorkState::Ready).await;
    asking.drain().await;
    let claim = async |lease| bed.store().claim_work(&[KIND], 1, lease).await.unwrap().remove(0).claim;
    for _ in 0..5 {
        let given_back = claim(Duration::from_hours(1)).await;
        bed.store().release_work(&[given_back]).await.unwrap();
        claim(Duration::ZERO).await;
    }
    let runs = Arc::new(AtomicUsize::new(0));
    let again = Outcome::Retry { after: Some(Duration::from_millis(5)), error: "no luck".to_owned() };
    let reactions = bed.start(registry(Says(again, runs.clone()))).await;
    for round in 1..=2 {
        first_is(bed, WorkState::Failed).await;
        let row = bed.work().await.remove(0);
        assert_eq!(
            (row.tries, row.attempt, runs.load(Ordering::SeqCst)),
            (3, 10 + 3 * round, 3 * usize::try_from(round).unwrap())
        );
        if round == 1 {
            // By hand it gets a whole round, not one more try.
            assert!(bed.store().retry_by_hand(row.id).await.unwrap());
            eventually("it is tried again", || async { runs.load(Ordering::SeqCst) > 3 }).await;
        }
    }
    // Control: what takes the process down with it each time is not tried for ever.
    let row = bed.work().await.remove(0);
    reactions.drain().await;
    assert!(bed.store().retry_by_hand(row.id).await.unwrap());
    for _ in 0..9 {
        claim(Duration::ZERO).await;
    }
    let reactions = bed.start(registry(Says(Outcome::Done, runs.clone()))).await;
    first_is(bed, WorkState::Failed).await;
    let row = bed.work().await.remove(0);
    assert!(row.last_error.unwrap().contains("begun 9 times"), "or nothing would end it");
    assert_eq!(runs.load(Ordering::SeqCst), 6);
    reactions.drain().await;
}

async fn a_failure_is_shown_and_retried_by_hand(bed: &Bed) {
    let runs = Arc::new(AtomicUsize::new(0));
    let failing = bed.start(registry(Says(Outcome::Fail { error: "wrong number".to_owned() }, runs.clone()))).await;
    bed.declare("i").await;
    first_is(bed, WorkState::Failed).await;
    let row = bed.work().await.remove(0);
    assert_eq!((row.attempt, row.last_error.as_deref(), runs.load(Ordering::SeqCst)), (1, Some("wrong number"), 1));
    failing.drain().await;
    let reactions = bed.start(Note::new(&bed.bus).registry()).await;
    assert!(bed.store().retry_by_hand(row.id).await.unwrap());
    first_is(bed, WorkState::Done).await;
    assert_eq!(bed.count("i", NOTE).await, 1);
    reactions.drain().await;
}

async fn what_takes_too_long_is_cut_off(bed: &Bed) {
    let reactions = bed.start(registry(Sleeps)).await;
    bed.declare("i").await;
    first_is(bed, WorkState::Failed).await;
    assert!(bed.work().await[0].last_error.as_ref().unwrap().contains("longer than 200ms"));
    reactions.drain().await;
}

async fn a_drain_lets_end_what_ends_in_time(bed: &Bed) {
    let note = Note::stopping_at(&bed.bus, Stop::BeforeTelling, 1);
    let reactions = bed.start(note.registry()).await;
    bed.declare("i").await;
    eventually("it is on its way", || async { note.waiting() == 1 }).await;
    let draining = tokio::spawn(reactions.drain());
    // Nobody claims any more: what comes now stays where it is.
    bed.declare("later").await;
    note.go_on.add_permits(1);
    draining.await.unwrap();
    assert_eq!((bed.count("i", NOTE).await, bed.count("later", NOTE).await), (1, 0));
}

async fn a_drain_gives_back_what_does_not(bed: &Bed) {
    let note = Note::stopping_at(&bed.bus, Stop::BeforeTelling, 1);
    let options = Options { drain: Duration::from_millis(100), lease: Duration::from_hours(1), ..Options::default() };
    let reactions = Reactions::start(&Feed::new(bed.store().clone()), note.registry(), options).await.unwrap();
    bed.declare("i").await;
    eventually("it is on its way", || async { note.waiting() == 1 }).await;
    let status = reactions.status();
    reactions.drain().await;
    assert_eq!((status.outcomes()[KIND].cut_short, status.running()), (1, 0));
    first_is(bed, WorkState::Ready).await;
    // Though the lease would have held for an hour.
    let next = bed.start(Note::new(&bed.bus).registry()).await;
    first_is(bed, WorkState::Done).await;
    assert_eq!(bed.count("i", NOTE).await, 1);
    next.drain().await;
}

async fn a_run_that_lost_its_claim_is_cut_short(bed: &Bed) {
    let note = Note::stopping_at(&bed.bus, Stop::BeforeTelling, 1);
    let options = Options { lease: Duration::from_secs(3), ..Options::default() };
    let reactions = Reactions::start(&Feed::new(bed.store().clone()), note.registry(), options).await.unwrap();
    bed.declare("i").await;
    eventually("it is on its way", || async { note.waiting() == 1 }).await;
    let claim = bed.work().await.remove(0);
    let claim = storage::work::Claim { work_id: claim.id, attempt: claim.attempt };
    bed.store().fail_work(claim, "taken away").await.unwrap();
    eventually("it was cut short", || async {
        reactions.status().outcomes().get(KIND).is_some_and(|outcomes| outcomes.cut_short == 1)
    })
    .await;
    eventually("its slot is free", || async { reactions.status().running() == 0 }).await;
    assert_eq!(bed.count("i", NOTE).await, 0);
    reactions.drain().await;
}

async fn no_more_runs_than_slots(bed: &Bed) {
    let note = Note::stopping_at(&bed.bus, Stop::BeforeTelling, 20);
    let options = Options { slots: 3, ..Options::default() };
    let reactions = Reactions::start(&Feed::new(bed.store().clone()), note.registry(), options).await.unwrap();
    for n in 0..20 {
        bed.declare(&format!("i{n}")).await;
    }
    eventually("everything is in the queue", || async { bed.work().await.len() == 20 }).await;
    eventually("every slot is taken", || async { note.waiting() == 3 }).await;
    for ended in 1..=20 {
        assert!(note.begun() < 3 + ended, "{} have begun, {ended} less one have ended", note.begun());
        note.go_on.add_permits(1);
        eventually("the next one follows", || async { note.begun() == (3 + ended).min(20) }).await;
    }
    eventually("all are done", || async { bed.work().await.iter().all(|row| row.state == WorkState::Done) }).await;
    reactions.drain().await;
}

async fn paused_work_waits(bed: &Bed) {
    let note = Note::new(&bed.bus);
    bed.store().pause_work(Some(KIND), "a test").await.unwrap();
    let reactions = bed.start(note.registry()).await;
    bed.declare("i").await;
    first_is(bed, WorkState::Ready).await;
    // What is not paused is done meanwhile: the pool lives.
    let other = bed.reactions().await;
    let at = "2020-01-01T00:00:00Z".parse().unwrap();
    let snooze = domain::incident::Command::Snooze { by: "ann".into(), until: at, at: jiff::Timestamp::UNIX_EPOCH };
    bed.ask("i", &snooze).await;
    eventually("something else is done", || async { bed.count("i", "incident.woken").await == 1 }).await;
    assert_eq!((note.begun(), bed.count("i", NOTE).await), (0, 0));
    bed.store().resume_work(Some(KIND)).await.unwrap();
    eventually("it is done after all", || async { bed.count("i", NOTE).await == 1 }).await;
    other.drain().await;
    reactions.drain().await;
}
