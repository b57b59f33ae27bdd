//! Random histories on the model, on SQLite and on PostgreSQL: the same verdicts, and in the end the same log. Controls:
//! a model that leaves out a rule is caught by the same histories.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use storage::work::{Claim, NewWork};
use storage::{Append, Receipt, StorageError, Store, Verdict};

use crate::bed::Bed;
use crate::commands::HOUR;
use crate::history::{Draft, Sent, Step, World, history};
use crate::model::{Flaw, Model};
use crate::work::next;

const HISTORIES: u32 = 200;

/// How often each kind of command and each verdict came up.
type Histogram = BTreeMap<String, u32>;

fn runner() -> TestRunner {
    let config = Config { cases: HISTORIES, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn the_databases_agree_with_the_model_and_with_each_other() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (sqlite, postgres) = runtime.block_on(async { tokio::join!(Bed::sqlite(), Bed::postgres()) });
    let stores = [&sqlite.store, &postgres.store];

    let seen = std::cell::RefCell::new(Histogram::new());
    let run = |steps: Vec<Step>| {
        let run = runtime.block_on(live(&steps, &stores, None, &mut seen.borrow_mut()));
        run.map_err(TestCaseError::fail)
    };
    runner().run(&history(), run).unwrap();
    report(&seen.into_inner());

    for flaw in [
        Flaw::ForgetsCommands,
        Flaw::ForgetsKeys,
        Flaw::ForgetsBodies,
        Flaw::ForgetsExpiry,
        Flaw::ForgetsClaims,
        Flaw::ForgetsGuards,
        Flaw::AllowsGaps,
    ] {
        let mut runner = runner();
        let caught = (0..HISTORIES).find_map(|_| {
            let steps = history().new_tree(&mut runner).unwrap().current();
            runtime.block_on(live(&steps, &stores, Some(flaw), &mut Histogram::new())).err()
        });
        println!("{flaw:?}: {}", caught.expect("a model with a flaw is caught"));
    }
}

fn report(seen: &Histogram) {
    let share = |prefix: &str| {
        let parts: Vec<_> = seen.iter().filter(|(name, _)| name.starts_with(prefix)).collect();
        let total: u32 = parts.iter().map(|(_, count)| **count).sum();
        for (name, count) in parts {
            let share = f64::from(*count) * 100.0 / f64::from(total);
            println!("{name:24}{count:6} {share:5.1} %");
            assert!(share >= 2.0, "{name} hardly happens");
        }
        total
    };
    let total = share("sent ");
    assert!(total > HISTORIES * 25, "only {total} commands");
    assert_eq!(share("answer "), total);
    let verdicts = seen.keys().filter(|name| name.starts_with("answer ")).count();
    assert_eq!(verdicts, 6, "every verdict, and the refusal of what is no JSON");
}

/// Runs a history on all three; the error says where they differ.
async fn live(steps: &[Step], stores: &[&Store; 2], flaw: Option<Flaw>, seen: &mut Histogram) -> Result<(), String> {
    let (mut world, mut model) = (World::new(), Model::with_flaw(flaw));
    let bases = [stores[0].head().await.unwrap(), stores[1].head().await.unwrap()];
    let mut receipts = [BTreeMap::new(), BTreeMap::new()];
    let mut outcome = Ok(());
    for step in steps {
        outcome = match step {
            Step::Batch(drafts) => batch(drafts, &mut world, &mut model, stores, &mut receipts, seen).await,
            Step::AddWork(n) => {
                for store in stores {
                    store.add_work(&[new_work(&world, *n)]).await.unwrap();
                }
                Ok(())
            }
            Step::Claim { lease } => claim(&mut world, &mut model, stores, *lease).await,
        };
        if outcome.is_err() {
            break;
        }
    }
    for store in stores {
        // Nothing is left for the next history to claim.
        while next(store, HOUR).await.is_some() {}
    }
    outcome?;
    for ((store, base), receipts) in stores.iter().zip(bases).zip(&receipts) {
        same_log(store, base, receipts, &model).await?;
    }
    Ok(())
}

fn new_work(world: &World, n: usize) -> NewWork {
    let mut work = crate::work::work(&format!("{} {n}", world.name), i32::try_from(n).unwrap());
    work.id = world.work[n];
    // The clocks of two databases would order them differently.
    work.run_at_us = Some(0);
    work
}

async fn claim(
    world: &mut World,
    model: &mut Model,
    stores: &[&Store; 2],
    lease: std::time::Duration,
) -> Result<(), String> {
    let [sqlite, postgres] = stores;
    let (one, other) = tokio::join!(next(sqlite, lease), next(postgres, lease));
    let (one, other) = (one.map(|work| work.claim), other.map(|work| work.claim));
    if one != other {
        return Err(format!("claimed {one:?} on SQLite, {other:?} on PostgreSQL"));
    }
    if let Some(Claim { work_id, attempt }) = one {
        let n = world.work.iter().position(|id| *id == work_id).ok_or("claimed another history's work")?;
        if attempt != world.attempts[n] + 1 {
            return Err(format!("attempt {attempt} after {}", world.attempts[n]));
        }
        world.attempts[n] = attempt;
        model.claim(Claim { work_id, attempt });
    }
    Ok(())
}

type Receipts = BTreeMap<uuid::Uuid, Receipt>;

async fn batch(
    drafts: &[Draft],
    world: &mut World,
    model: &mut Model,
    stores: &[&Store; 2],
    receipts: &mut [Receipts; 2],
    seen: &mut Histogram,
) -> Result<(), String> {
    let mut appends: Vec<Append> = Vec::new();
    let mut expected = Vec::new();
    for draft in drafts {
        let append = world.decide(draft, model);
        let broken = matches!(draft.sent, Sent::Broken);
        let answer = if broken { "rejected" } else { kind(model.append(&append)) };
        *seen.entry(format!("sent {}", described(&append, draft.sent))).or_default() += 1;
        *seen.entry(format!("answer {answer}")).or_default() += 1;
        appends.push(append);
        expected.push(answer);
    }
    for (store, receipts) in stores.iter().zip(receipts) {
        let answers = join_all(appends.iter().cloned().map(|append| store.append(append))).await;
        for ((append, answer), expected) in appends.iter().zip(answers).zip(&expected) {
            let answered = match &answer {
                Ok(verdict) => kind(*verdict),
                Err(StorageError::Rejected(_)) => "rejected",
                Err(error) => return Err(format!("{}: {error}", store.engine())),
            };
            if answered != *expected {
                return Err(format!("{} says {answered}, the model {expected}: {append:?}", store.engine()));
            }
            match answer {
                Ok(Verdict::Committed(receipt)) => drop(receipts.insert(append.command_id, receipt)),
                Ok(Verdict::Duplicate(receipt)) if !receipts.values().any(|known| *known == receipt) => {
                    return Err(format!("{} answers a duplicate with {receipt:?}", store.engine()));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn kind(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Committed(_) => "committed",
        Verdict::Duplicate(_) => "duplicate",
        Verdict::Conflict => "conflict",
        Verdict::KeyReused => "key reused",
        Verdict::Fenced => "fenced",
    }
}

/// One word for each command, for the histogram.
fn described(append: &Append, sent: Sent) -> &'static str {
    match sent {
        Sent::Again(_) => "again",
        Sent::Redecided(_) => "decided anew",
        Sent::Broken => "broken",
        Sent::Fresh if append.claim.is_some() => "with a claim",
        Sent::Fresh if append.idempotency.is_some() => "with a key",
        Sent::Fresh if append.streams.iter().any(|write| write.events.is_empty()) => "with a guard",
        Sent::Fresh if append.streams.len() > 1 => "on several streams",
        Sent::Fresh => "plain",
    }
}

/// The log of a database, from where this history began, is the model's: every command whole, at its receipt, and
/// nothing else.
async fn same_log(store: &Store, base: u64, receipts: &Receipts, model: &Model) -> Result<(), String> {
    let log = store.read_after(base, 10_000).await.unwrap();
    if log.len() != model.log().len() {
        return Err(format!("{} holds {} events, the model {}", store.engine(), log.len(), model.log().len()));
    }
    for (command, receipt) in receipts {
        let part = |receipt: Receipt, base: u64| {
            usize::try_from(receipt.first - base - 1).unwrap()..usize::try_from(receipt.last - base).unwrap()
        };
        let expected = model.receipt(*command).ok_or("a command that the model does not hold")?;
        let expected = &model.log()[part(expected, 0)];
        for (event, expected) in log[part(*receipt, base)].iter().zip(expected) {
            let mut expected = expected.clone();
            (expected.position, expected.salt, expected.recorded_at_us) =
                (event.position, event.salt, event.recorded_at_us);
            if *event != expected {
                return Err(format!("{} holds {event:?} instead of {expected:?}", store.engine()));
            }
        }
    }
    Ok(())
}
