//! The group commit in simulated time over a log that fails by chance: whatever happens, each caller's answer is true
//! by the log's own record. Controls: over a log that lies, the same check fails.

use std::sync::Arc;
use std::time::Duration;

use storage::work::Claim;
use storage::{Append, Idempotency, Limits, StorageError, Verdict, Writer};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::commands::{HOUR, command, event, fresh, keyed, stream, write};
use crate::dice::Dice;
use crate::fake::{Fake, Kept, Lie, POISON, Trouble};

const SEEDS: u64 = 400;
const CALLERS: u64 = 40;
const LIMITS: Limits =
    Limits { waiting: 24, batch_commands: 7, batch_bytes: 4 << 10, patience: Duration::from_secs(2) };

/// What one caller asked, and what came of it.
struct Asked {
    append: Append,
    /// None: he left before he was answered.
    answer: Option<Result<Verdict, StorageError>>,
}

#[derive(Debug, Default)]
struct Sum {
    answers: std::collections::BTreeMap<&'static str, usize>,
    calls: usize,
    largest: usize,
}

#[test]
fn every_answer_is_true() {
    let mut sum = Sum::default();
    for seed in 0..SEEDS {
        live(seed, None, &mut sum).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    }
    println!("{sum:#?}");
    let total: usize = sum.answers.values().sum();
    assert_eq!(total as u64, SEEDS * CALLERS);
    for kind in ["committed", "duplicate", "conflict", "key reused", "fenced", "rejected", "full", "unknown", "left"] {
        assert!(sum.answers.get(kind).is_some_and(|count| count * 100 > total), "{kind} is too rare");
    }
    assert_eq!(sum.largest, LIMITS.batch_commands, "commands were combined");
}

#[test]
fn a_log_that_lies_is_found_out() {
    for lie in [Lie::Duplicate, Lie::Committed, Lie::Conflict, Lie::Receipt] {
        let found = (0..20).find_map(|seed| live(seed, Some(lie), &mut Sum::default()).err());
        println!("{lie:?}: {}", found.unwrap_or_else(|| panic!("{lie:?} went unnoticed")));
    }
}

fn live(seed: u64, lie: Option<Lie>, sum: &mut Sum) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut dice = Dice::new(seed);
    let trouble = Trouble {
        lost_answers: dice.below(300),
        lost_requests: dice.below(300),
        full: dice.below(100),
        panics: if dice.one_in(3) { 30 } else { 0 },
    };
    let fake = Fake::new(seed, trouble, lie);
    let asked = runtime.block_on(clients(&mut dice, &fake))?;
    let kept = fake.kept();
    sum.calls += kept.calls;
    sum.largest = sum.largest.max(kept.largest);
    for asked in &asked {
        *sum.answers.entry(kind(asked.answer.as_ref())).or_default() += 1;
    }
    if let Some(complaint) = kept.complaints.first() {
        return Err(complaint.clone());
    }
    asked.iter().try_for_each(|one| check(&kept, one, &asked))
}

fn kind(answer: Option<&Result<Verdict, StorageError>>) -> &'static str {
    match answer {
        None => "left",
        Some(Ok(Verdict::Committed(_))) => "committed",
        Some(Ok(Verdict::Duplicate(_))) => "duplicate",
        Some(Ok(Verdict::Conflict)) => "conflict",
        Some(Ok(Verdict::KeyReused)) => "key reused",
        Some(Ok(Verdict::Fenced)) => "fenced",
        Some(Err(StorageError::Rejected(_))) => "rejected",
        Some(Err(StorageError::Full(_))) => "full",
        Some(Err(StorageError::Unknown(_))) => "unknown",
        Some(Err(_)) => "another error",
    }
}

/// Lets the callers come, leave or wait, and returns when all is quiet again.
async fn clients(dice: &mut Dice, fake: &Arc<Fake>) -> Result<Vec<Asked>, String> {
    let writer = Arc::new(Writer::new(fake.clone(), LIMITS));
    let work: Vec<Uuid> = (0..3).map(|_| fresh()).collect();
    for id in &work {
        fake.kept().model.claim(Claim { work_id: *id, attempt: 1 });
    }
    let mut known: Vec<Append> = Vec::new();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        if dice.one_in(4) {
            sleep(Duration::from_millis(dice.below(60))).await;
        }
        let append = ask(dice, &work, &mut known, fake);
        callers.spawn(call(writer.clone(), append, dice.below(10), dice.below(50)));
    }
    let asked = timeout(HOUR, callers.join_all()).await.map_err(|_| "somebody waits for ever".to_owned())?;
    let begun = Instant::now();
    let quiet = format!("places: {}", LIMITS.waiting);
    while !format!("{writer:?}").contains(&quiet) {
        sleep(Duration::from_millis(100)).await;
        if begun.elapsed() > HOUR {
            return Err(format!("a place was leaked: {writer:?}"));
        }
    }
    let after = writer.append(command(vec![write("after all", 0, 1)])).await;
    if matches!(after, Err(StorageError::Rejected(_))) { Err(format!("{after:?}")) } else { Ok(asked) }
}

async fn call(writer: Arc<Writer>, append: Append, mood: u64, patience: u64) -> Asked {
    let asked = append.clone();
    let answer = match mood {
        // Leaves after a while.
        0 | 1 => timeout(Duration::from_millis(patience), writer.append(append)).await.ok(),
        // Leaves after having looked so many times.
        2 => polled(writer.append(append), patience % 6).await,
        _ => Some(writer.append(append).await),
    };
    Asked { append: asked, answer }
}

/// Polls a future so many times, then drops it.
pub(crate) async fn polled<T>(future: impl Future<Output = T>, times: u64) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = times;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return std::task::Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

fn ask(dice: &mut Dice, work: &[Uuid], known: &mut Vec<Append>, fake: &Fake) -> Append {
    let old = usize::try_from(dice.below(known.len().max(1) as u64)).unwrap();
    let append = match dice.below(12) {
        0 if !known.is_empty() => known[old].clone(),
        1 if !known.is_empty() => Append { command_id: known[old].command_id, ..anew(dice, fake) },
        2 => poisoned(),
        3 | 4 => keyed(
            anew(dice, fake),
            ["x", "y", "z"][usize::try_from(dice.below(3)).unwrap()],
            u8::from(dice.one_in(2)),
            HOUR,
        ),
        5 => {
            let claim = Claim { work_id: work[usize::try_from(dice.below(3)).unwrap()], attempt: 1 };
            Append { claim: Some(claim), ..anew(dice, fake) }
        }
        _ => anew(dice, fake),
    };
    if append.streams[0].events.first().is_some_and(|event| event.payload != POISON) {
        known.push(append.clone());
    }
    append
}

fn anew(dice: &mut Dice, fake: &Fake) -> Append {
    let hot = format!("hot {}", dice.below(4));
    let head = fake.kept().model.head(&stream(&hot));
    let events = usize::try_from(1 + dice.below(3)).unwrap();
    match dice.below(4) {
        0 => command(vec![write(&hot, head, events)]),
        1 => command(vec![write(&fresh().to_string(), 0, events), write(&hot, head, 0)]),
        _ => command(vec![write(&fresh().to_string(), 0, events)]),
    }
}

fn poisoned() -> Append {
    let mut append = command(vec![write(&fresh().to_string(), 0, 1)]);
    append.streams[0].events = vec![event(POISON)];
    append
}

/// Whether an answer is true by the record.
fn check(kept: &Kept, asked: &Asked, all: &[Asked]) -> Result<(), String> {
    let Asked { append, answer: Some(answer) } = asked else { return Ok(()) };
    let stored = kept.model.receipt(append.command_id);
    let wrong = |why: &str| Err(format!("{why}: {answer:?} to {append:?}, stored at {stored:?}"));
    match answer {
        Ok(Verdict::Committed(receipt)) => {
            let first = usize::try_from(receipt.first - 1).ok().and_then(|n| kept.model.log().get(n));
            let own = append.streams.iter().flat_map(|write| &write.events).next().map(|event| event.event_id);
            if stored != Some(*receipt) || first.map(|event| event.event_id) != own {
                return wrong("not his own");
            }
        }
        Ok(Verdict::Duplicate(receipt)) => {
            let same = |asked: &Idempotency| append.idempotency.as_ref().is_some_and(|own| own == asked);
            let by_key = all.iter().any(|other| {
                kept.model.receipt(other.append.command_id) == Some(*receipt)
                    && other.append.idempotency.as_ref().is_some_and(same)
            });
            if stored != Some(*receipt) && !by_key {
                return wrong("no duplicate");
            }
        }
        Err(StorageError::Unknown(_)) if kept.untold == 0 => return wrong("every outcome was told"),
        Err(StorageError::Unknown(_)) => {}
        Ok(_) | Err(StorageError::Rejected(_) | StorageError::Full(_)) => {
            // What was refused is not there, unless somebody else sent the same command and was not refused.
            let another = all.iter().filter(|other| other.append.command_id == append.command_id).any(|other| {
                matches!(
                    other.answer,
                    None | Some(Ok(Verdict::Committed(_) | Verdict::Duplicate(_)) | Err(StorageError::Unknown(_)))
                )
            });
            if stored.is_some() && !another {
                return wrong("refused, but recorded");
            }
        }
        Err(_) => return wrong("not an answer of the writer"),
    }
    Ok(())
}

/// The runtime goes away at any point while callers wait: it ends, and nobody is told a lie.
#[test]
fn a_runtime_may_go_away() {
    for pause in 0..60 {
        for workers in [0, 2] {
            let runtime = match workers {
                0 => tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
                _ => tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_time().build().unwrap(),
            };
            let fake = Fake::new(pause, Trouble::default(), None);
            let writer = Arc::new(Writer::new(fake.clone(), LIMITS));
            runtime.block_on(async {
                for n in 0..30 {
                    let writer = writer.clone();
                    tokio::spawn(async move { writer.append(command(vec![write(&n.to_string(), 0, 1)])).await });
                }
                for _ in 0..pause {
                    tokio::task::yield_now().await;
                }
            });
            drop(runtime);
            // Another runtime finds the writer in order.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let answer = runtime.block_on(writer.append(command(vec![write("after", 0, 1)])));
            assert!(matches!(answer, Ok(Verdict::Committed(_))), "{answer:?}");
            assert_eq!(fake.kept().complaints, [] as [String; 0]);
        }
    }
}
