//! The load that every side gets: callers on streams of their own, ten commands a stream, as fast as they are answered
//! ([`run`]) or at a given rate ([`paced`]).

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use commands::ids;
use domain::ids::ActorId;
use domain::incident::{Command, Declare, Severity};
use tokio::time::sleep_until;

/// Commands, and so events, on one stream: the first declares an incident, the others add notes.
pub const STREAM_LENGTH: usize = 10;

/// One of those who are compared.
pub trait Side: Send + Sync + 'static {
    /// Carries out the `step`th command on `stream`, durably.
    fn command(&self, stream: &str, step: usize) -> impl Future<Output = ()> + Send;

    /// How many events it holds: every run is checked against it, since a peer may swallow an error.
    fn events(&self) -> impl Future<Output = u64> + Send;
}

/// What the `step`th command on a stream is.
pub fn command(step: usize) -> Command {
    let by = ActorId::new("bench");
    if step == 0 {
        Command::Declare(Box::new(Declare::new(by, "Checkout answers slowly in Frankfurt", Severity::Sev2)))
    } else {
        let text = format!("Note {step}: the pool of the payment service was exhausted; raised it to 80 and watching.");
        Command::AddNote { by, text }
    }
}

pub fn new_stream() -> String {
    ids::fresh().to_string()
}

/// One run of one side.
#[derive(Debug, Clone)]
pub struct Sample {
    pub commands: usize,
    pub seconds: f64,
    pub median: Duration,
    pub p99: Duration,
}

impl Sample {
    #[expect(clippy::cast_precision_loss, reason = "commands of one run are few")]
    pub fn rate(&self) -> f64 {
        self.commands as f64 / self.seconds
    }
}

/// Runs `commands` commands through `callers` callers at once, and checks that as many events came of it.
pub async fn run<S: Side>(side: &Arc<S>, callers: usize, commands: usize) -> Sample {
    let before = side.events().await;
    let streams = commands.div_ceil(STREAM_LENGTH);
    let taken = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (side, taken) = (side.clone(), taken.clone());
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while taken.fetch_add(1, Ordering::Relaxed) < streams {
                    let stream = new_stream();
                    for step in 0..STREAM_LENGTH {
                        let asked = Instant::now();
                        side.command(&stream, step).await;
                        latencies.push(asked.elapsed());
                    }
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::with_capacity(streams * STREAM_LENGTH);
    for task in tasks {
        latencies.extend(task.await.expect("a caller does not panic"));
    }
    let seconds = begun.elapsed().as_secs_f64();
    counted(side, before, latencies, seconds).await
}

/// Callers of a paced load: enough that none has to wait for another one's answer.
const PACED_CALLERS: u32 = 64;

/// Sends `rate` commands a second, evenly, for `time`. Latencies count from when a command was due, whether or not the
/// side was ready to take it by then; so they hold up to a millisecond of waking up.
pub async fn paced<S: Side>(side: &Arc<S>, rate: f64, time: Duration) -> Sample {
    let before = side.events().await;
    // Nobody is late at the start.
    let begun = Instant::now() + Duration::from_millis(20);
    let between = Duration::from_secs_f64(1.0 / rate);
    let commands = u32::try_from(time.as_nanos() / between.as_nanos()).expect("a run is short");
    let tasks: Vec<_> = (0..PACED_CALLERS)
        .map(|caller| {
            let side = side.clone();
            tokio::spawn(async move {
                let (mut latencies, mut stream) = (Vec::new(), String::new());
                for (n, turn) in (caller..commands).step_by(PACED_CALLERS as usize).enumerate() {
                    let due = begun + between * turn;
                    sleep_until(due.into()).await;
                    if n % STREAM_LENGTH == 0 {
                        stream = new_stream();
                    }
                    side.command(&stream, n % STREAM_LENGTH).await;
                    latencies.push(due.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a caller does not panic"));
    }
    let seconds = begun.elapsed().as_secs_f64();
    counted(side, before, latencies, seconds).await
}

async fn counted<S: Side>(side: &Arc<S>, before: u64, mut latencies: Vec<Duration>, seconds: f64) -> Sample {
    let done = side.events().await - before;
    assert_eq!(done, latencies.len() as u64, "every command must have left one event");
    latencies.sort();
    let at = |share: usize| latencies[(latencies.len() - 1) * share / 100];
    Sample { commands: latencies.len(), seconds, median: at(50), p99: at(99) }
}
