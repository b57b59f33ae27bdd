//! A rebuild of a history with many timers leaves the queue as it is, row by row. Control: a reactor that reads the same
//! stretch anew fills it.

use commands::Bus;
use domain::incident::{Command, Event, Incident};
use histories::History;
use jiff::Timestamp;
use projections::Feed;
use reactions::{Options, Reactions, Registry, Timer, WakeSnoozed};
use serde_json::json;
use storage::Store;
use storage::work::{WorkFilter, WorkRow, WorkState};
use testbed::eventually;

use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(a_rebuild_leaves_the_queue_as_it_is);

const EVENTS: usize = 6_000;
const PAGE: usize = 200;
/// What is due then is not due while this runs.
const FAR_OFF_US: i64 = 1_899_000_000_000_000;

/// [`WakeSnoozed`] under another name, so that it stands elsewhere in the log.
struct WakeAgain;

impl Timer for WakeAgain {
    type Of = Incident;
    type Memo = ();
    const NAME: &'static str = "wake_again";

    fn set(event: &Event) -> Option<(Timestamp, ())> {
        WakeSnoozed::set(event)
    }

    fn fire((): (), due: Timestamp, at: Timestamp) -> Command {
        WakeSnoozed::fire((), due, at)
    }
}

/// All that a reaction could have left behind.
#[derive(Debug, PartialEq)]
struct Queue {
    rows: Vec<WorkRow>,
    /// Where each reactor stands.
    reactors: Vec<(String, u64)>,
    head: u64,
}

impl Queue {
    async fn of(store: &Store) -> Self {
        let mut rows = Vec::new();
        for state in WorkState::ALL {
            let filter = WorkFilter { state: Some(state), ..WorkFilter::default() };
            let mut after = None;
            loop {
                let page = store.list_work(&filter, after, PAGE).await.unwrap();
                after = page.last().map(WorkRow::cursor);
                rows.extend(page);
                if after.is_none() {
                    break;
                }
            }
        }
        rows.sort_by_key(|row| row.id);
        Self { rows, reactors: store.reactors().await.unwrap(), head: store.head().await.unwrap() }
    }

    /// Everything is reacted to, and what is due is over.
    fn rests(&self) -> bool {
        let over = |row: &WorkRow| match row.state {
            WorkState::Ready => row.run_at_us >= FAR_OFF_US,
            WorkState::Waiting | WorkState::Claimed => false,
            WorkState::Done | WorkState::Failed | WorkState::Skipped => true,
        };
        let mut following = self.reactors.iter().filter(|(name, _)| name != WakeAgain::NAME);
        following.all(|(_, position)| *position == self.head) && self.rows.iter().all(over)
    }

    fn count(&self, kind: &str, state: WorkState) -> usize {
        self.rows.iter().filter(|row| row.kind == kind && row.state == state).count()
    }
}

fn run(serving: &Serving, arguments: &[&str]) {
    let done = tokio::task::block_in_place(|| serving.run(arguments));
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{text}");
}

async fn a_rebuild_leaves_the_queue_as_it_is(serving: Serving) {
    let store = serving.store().await;
    // It has read nothing yet, and will not before the end.
    let begin = store.head().await.unwrap();
    assert_eq!(store.register_reactor(WakeAgain::NAME).await.unwrap(), begin);
    // A timer that fires while the history is told would be in its way.
    run(&serving, &["work", "pause"]);
    History::new(41, 8).tell(&store, EVENTS).await;
    run(&serving, &["work", "resume"]);
    eventually("everything due has happened", || async { Queue::of(&store).await.rests() }).await;

    let before = Queue::of(&store).await;
    let count = |kind, state| before.count(kind, state);
    let (woken, expiring) = (count("wake_snoozed", WorkState::Done), count("expire_approvals", WorkState::Ready));
    let timed_out = count("time_out_acknowledgements", WorkState::Done);
    println!("{} rows: {woken} to wake, {timed_out} to time out, {expiring} that wait", before.rows.len());
    assert!(woken >= 50 && timed_out >= 20 && expiring >= 50, "there are timers of every kind, over and waiting");
    run(&serving, &["replay", "rebuild"]);
    run(&serving, &["replay", "diff"]);
    assert_eq!(Queue::of(&store).await, before);
    // Nor does it come later: when the server has reacted to something new, there is that and nothing else.
    let path = serving.admin().new_incident("After").await;
    serving.admin().post(&format!("{path}/snooze"), json!({ "until": "2999-01-01T00:00:00Z" })).await.expect(200);
    eventually("the server has reacted", || async {
        let now = Queue::of(&store).await;
        now.rests() && now.head > before.head
    })
    .await;
    let mut after = Queue::of(&store).await.rows;
    let is_new = |row: &WorkRow| row.created_position > before.head;
    assert_eq!(after.iter().filter(|row| is_new(row)).count(), 1);
    after.retain(|row| !is_new(row));
    assert_eq!(after, before.rows);

    // Control: whoever does react to the same events is seen.
    let bus = Bus::new(store.clone());
    let registry = Registry::default().timer::<WakeAgain>(&bus);
    let reactions = Reactions::start(&Feed::new(store.clone()), registry, Options::default()).await.unwrap();
    let all = |queue: &Queue, kind: &str| queue.rows.iter().filter(|row| row.kind == kind).count();
    eventually("it has read the same stretch", || async {
        let now = Queue::of(&store).await;
        all(&now, WakeAgain::NAME) == all(&now, WakeSnoozed::NAME)
    })
    .await;
    reactions.drain().await;
    let anew = Queue::of(&store).await;
    println!("{} rows after a reactor has read it anew", anew.rows.len());
    assert!(anew.rows.len() > before.rows.len() + woken);
}
