//! Random histories: nothing panics, a fold is a fold, deciding twice writes once. The histogram is printed, and every
//! command and every refusal must have its share of at least 2 %, or the histories prove less than they seem to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;

use domain::incident::{self, Changes, Incident, Responder, ResponderRole, Severity};
use domain::runbook::definition::parse;
use domain::runbook::{self, Definition, Runbook};
use domain::{Aggregate, Refusal, StoredEvent};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use super::samples::{ALICE, BOB, CARL, declare, declared, full_body, named, short_body, time};

/// The same histories on every machine and in every run.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[derive(Default)]
pub(crate) struct Histogram {
    commands: BTreeMap<String, usize>,
    outcomes: BTreeMap<&'static str, usize>,
    refusals: BTreeMap<&'static str, usize>,
}

impl Histogram {
    fn count(&mut self, command: &impl Debug, outcome: Result<usize, &Refusal>) {
        let name = format!("{command:?}").split([' ', '(', '{']).next().unwrap_or_default().to_owned();
        *self.commands.entry(name).or_default() += 1;
        let kind = match outcome {
            Ok(0) => "nothing",
            Ok(_) => "events",
            Err(refusal) => {
                *self.refusals.entry(refusal.code()).or_default() += 1;
                "refused"
            }
        };
        *self.outcomes.entry(kind).or_default() += 1;
    }

    #[track_caller]
    pub(crate) fn assert_shares(&self, commands: usize, refusals: &[&str]) {
        assert_eq!(self.commands.len(), commands, "every command occurs");
        for code in refusals {
            assert!(self.refusals.contains_key(code), "nothing was refused as {code}");
        }
        assert_eq!(self.refusals.len(), refusals.len(), "{:?}", self.refusals);
        shares("commands", &self.commands);
        shares("outcomes", &self.outcomes);
        shares("refusals", &self.refusals);
    }
}

#[track_caller]
fn shares<K: Ord + Debug>(title: &str, counts: &BTreeMap<K, usize>) {
    let total: usize = counts.values().sum();
    println!("{title}: {total}");
    for (name, count) in counts {
        let permille = count * 1_000 / total;
        println!("  {:>3}.{} % {name:?}", permille / 10, permille % 10);
        assert!(permille >= 20, "{name:?} is too rare: {count} of {total}");
    }
}

/// Plays one history on `start`, and checks what holds for all of them.
pub(crate) fn play<A: Aggregate>(
    start: Vec<A::Event>,
    commands: &[A::Command],
    is_repeatable: fn(&A::Command) -> bool,
    histogram: &mut Histogram,
) {
    let mut events = start;
    let mut state = A::fold(&events);
    for command in commands {
        let decision = state.decide(command);
        assert_eq!(decision, state.decide(command), "deciding is pure");
        histogram.count(command, decision.as_ref().map(Vec::len));
        let Ok(new) = decision else { continue };
        for event in &new {
            state.apply(event);
        }
        let again = state.decide(command).unwrap_or_default();
        assert!(again.is_empty() || is_repeatable(command), "{command:?} writes twice: {again:?}");
        events.extend(new);
    }
    assert_eq!(A::fold(&events), state, "folding at once is folding step by step");
    for event in &events {
        let stored = serde_json::to_value(event).unwrap();
        assert_eq!(&A::Event::decode(event.name(), event.version(), stored).unwrap(), event);
    }
    let stored = serde_json::to_value(&state).unwrap();
    assert_eq!(serde_json::from_value::<A>(stored).unwrap(), state, "a state survives being kept");
    // Folds are total: even an order that no decision would allow does not panic.
    let _ = A::fold(events.iter().rev());
}

/// The first is soonest: that is when most timers fire here, since only one that is not stale can be too early.
pub(crate) fn times() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        2 => Just(time("2026-01-01T00:00:00Z")),
        1 => Just(time("2026-01-02T00:00:00Z")),
    ]
}

pub(crate) fn due() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        1 => Just(time("2026-01-01T00:00:00Z")),
        6 => Just(time("2026-01-02T00:00:00Z")),
    ]
}

pub(crate) fn actor<T: From<&'static str> + Clone + Debug + 'static>() -> impl Strategy<Value = T> {
    select(vec![ALICE, BOB, CARL]).prop_map(T::from)
}

fn incident_id() -> impl Strategy<Value = domain::ids::IncidentId> {
    select(vec!["incident:7", "incident:8", "incident:9"]).prop_map(Into::into)
}

fn role() -> impl Strategy<Value = ResponderRole> {
    select(vec!["commander", "scribe", "customer liaison"]).prop_map(|name| name.to_owned().into())
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[a-z ]{1,12}[a-z]", 1 => Just(String::new())]
}

fn incident_command() -> impl Strategy<Value = incident::Command> {
    use incident::Command as C;
    let severity = || select(Severity::ALL.to_vec());
    let changes = (proptest::option::of(words()), proptest::option::of(Just(None)))
        .prop_map(|(title, team_id)| Box::new(Changes { title, team_id, ..Changes::default() }));
    prop_oneof![
        2 => words().prop_map(|title| C::Declare(incident::Declare { title, ..declare() }.into())),
        5 => (actor(), proptest::option::weighted(0.9, due()))
            .prop_map(|(by, expires_at)| C::Acknowledge { by, expires_at }),
        2 => actor().prop_map(|by| C::Unacknowledge { by }),
        8 => (1..3_u32, times()).prop_map(|(number, at)| C::TimeOutAcknowledgement { number, at }),
        2 => (actor(), actor()).prop_map(|(by, to)| C::Assign { by, to: [to].into() }),
        3 => (actor(), actor(), role()).prop_map(|(by, user, role)| C::AddResponder { by, user, role }),
        2 => (actor(), actor(), role()).prop_map(|(by, user, role)| C::RemoveResponder { by, user, role }),
        2 => (actor(), severity(), proptest::option::of(words()))
            .prop_map(|(by, severity, reason)| C::ChangeSeverity { by, severity, reason }),
        2 => (actor(), changes).prop_map(|(by, changes)| C::Edit { by, changes }),
        2 => (actor(), words()).prop_map(|(by, text)| C::AddNote { by, text }),
        5 => (actor(), due(), times()).prop_map(|(by, until, at)| C::Snooze { by, until, at }),
        7 => (due(), times()).prop_map(|(until, at)| C::Wake { until, at }),
        2 => actor().prop_map(|by| C::Resolve { by, resolution: None }),
        4 => actor().prop_map(|by| C::Reopen { by, reason: None }),
        3 => (actor(), incident_id(), any::<bool>()).prop_map(|(by, into, into_merged)| C::MergeInto {
            by,
            this: "incident:7".into(),
            into,
            into_merged
        }),
        2 => (actor(), incident_id())
            .prop_map(|(by, incident)| C::Absorb { by, this: "incident:7".into(), incident }),
        4 => actor().prop_map(|by| C::Unmerge { by }),
        2 => (actor(), incident_id()).prop_map(|(by, incident)| C::Release { by, incident }),
    ]
}

/// Nothing yet; declared; declared with as many responders as there may be.
fn incident_start() -> impl Strategy<Value = Vec<incident::Event>> {
    let mut crowd = declared();
    crowd.responders = (0..incident::limits::PEOPLE)
        .map(|n| Responder { user: format!("user:{n}").as_str().into(), role: ResponderRole::Responder })
        .collect();
    prop_oneof![
        1 => Just(vec![]),
        6 => Just(vec![incident::Event::Declared(declared().into())]),
        6 => Just(vec![incident::Event::Declared(crowd.into())]),
    ]
}

#[test]
fn random_histories_of_incidents() {
    let histogram = RefCell::new(Histogram::default());
    let histories = (incident_start(), proptest::collection::vec(incident_command(), 1..30));
    runner(1_000)
        .run(&histories, |(start, commands)| {
            let is_note = |command: &incident::Command| matches!(command, incident::Command::AddNote { .. });
            play::<Incident>(start, &commands, is_note, &mut histogram.borrow_mut());
            Ok(())
        })
        .unwrap();
    histogram.borrow().assert_shares(
        18,
        &[
            "incident_exists",
            "incident_missing",
            "invalid",
            "merged",
            "not_due",
            "not_merged",
            "not_resolved",
            "resolved",
            "target_merged",
            "too_many_responders",
        ],
    );
}

fn runbook_command(definitions: Vec<Definition>) -> impl Strategy<Value = runbook::Command> {
    use runbook::Command as C;
    let hashes: Vec<_> = definitions.iter().map(Definition::content_hash).collect();
    let definition = move || select(definitions.clone());
    let soon = hashes.clone();
    let soon_hash = move || select(soon.clone());
    let hash = move || select(hashes.clone());
    prop_oneof![
        2 => (actor(), definition())
            .prop_map(|(by, definition)| C::Create { by, definition, change_note: None }),
        4 => (actor(), definition(), proptest::option::of(words()))
            .prop_map(|(by, definition, change_note)| C::Edit { by, definition, change_note }),
        6 => (actor(), proptest::option::weighted(0.9, due())).prop_map(|(by, expires_at)| C::Submit { by, expires_at }),
        20 => (soon_hash(), due(), times())
            .prop_map(|(content_hash, expires_at, at)| C::ExpireSubmission { content_hash, expires_at, at }),
        2 => actor().prop_map(|by| C::WithdrawSubmission { by }),
        8 => (actor(), hash(), proptest::bool::weighted(0.8)).prop_map(|(by, content_hash, another_platform_admin)| C::Approve {
            by,
            content_hash,
            another_platform_admin,
            reason: None
        }),
        3 => (actor(), hash(), proptest::bool::weighted(0.8), prop_oneof![2 => words(), 1 => Just(String::new())])
            .prop_map(|(by, content_hash, another_platform_admin, reason)| C::Reject {
                by,
                content_hash,
                another_platform_admin,
                reason
            }),
        2 => (actor(), proptest::bool::weighted(0.8))
            .prop_map(|(by, another_platform_admin)| C::Deprecate { by, another_platform_admin, reason: None }),
        1 => actor().prop_map(|by| C::DiscardDraft { by }),
    ]
}

/// Nothing yet; a draft; one that waits, with or without end; an approved version.
fn runbook_start() -> impl Strategy<Value = Vec<runbook::Event>> {
    use super::samples::{approved, drafted, submitted};
    let one = named("one");
    let steps = [
        runbook::Event::Created(drafted(ALICE, 1, &one)),
        submitted(ALICE, 1, &one),
        runbook::Event::Approved(approved(BOB, 1, &[ALICE], &one)),
    ];
    (select(vec![0, 1, 2, 2, 2, 3, 3]), proptest::option::weighted(0.9, due())).prop_map(move |(known, until)| {
        let mut start = steps[..known].to_vec();
        if let Some(runbook::Event::DraftSubmitted { expires_at, .. }) = start.get_mut(1) {
            *expires_at = until;
        }
        start
    })
}

#[test]
fn random_histories_of_runbooks() {
    let histogram = RefCell::new(Histogram::default());
    let command = runbook_command(vec![named("one"), named("two")]);
    let histories = (runbook_start(), proptest::collection::vec(command, 1..15));
    runner(1_000)
        .run(&histories, |(start, commands)| {
            play::<Runbook>(start, &commands, |_| false, &mut histogram.borrow_mut());
            Ok(())
        })
        .unwrap();
    histogram.borrow().assert_shares(
        9,
        &[
            "content_changed",
            "draft_not_pending",
            "four_eyes",
            "invalid",
            "never_approved",
            "no_draft",
            "not_due",
            "runbook_discarded",
            "runbook_exists",
            "runbook_missing",
        ],
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        proptest::bool::weighted(0.8).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        select(vec!["{{", "{{#if", "step:", "https://", "params", "!(", "#/$defs/a"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let name = prop_oneof![
            ".{0,6}",
            select(vec!["id", "type", "steps", "url", "$ref", "then", "when", "auth"]).prop_map(str::to_owned)
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Puts `new` (or null) at the place that `at` chooses.
fn mutate(value: &mut Value, mut at: usize, new: Option<Value>) {
    let mut place = value;
    loop {
        let size = match place {
            Value::Object(map) => map.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        let here = size == 0 || at.is_multiple_of(4);
        at /= 4;
        if here {
            *place = new.unwrap_or_default();
            return;
        }
        let index = at % size;
        at /= size;
        place = match place {
            Value::Object(map) => map.values_mut().nth(index).unwrap(),
            Value::Array(items) => &mut items[index],
            _ => return,
        };
    }
}

#[test]
fn whatever_is_sent_parsing_never_panics() {
    let counts = RefCell::new(BTreeMap::<&str, usize>::new());
    let base = select(vec![full_body(), short_body()]);
    let changes = proptest::collection::vec((any::<usize>(), proptest::option::of(any_json())), 0..3);
    runner(1_500)
        .run(&(base, changes), |(mut body, changes)| {
            for (at, new) in changes {
                // A body that is no longer an object at all teaches little.
                mutate(&mut body, at | 1, new);
            }
            let kind = match parse(&body) {
                Ok(submission) => {
                    let stored = serde_json::to_value(&submission.definition).unwrap();
                    let again = parse(&stored).unwrap_or_else(|faults| panic!("{faults:?}\n{stored:#}"));
                    assert_eq!(again.definition.content_hash(), submission.definition.content_hash());
                    "accepted"
                }
                Err(faults) => {
                    assert!(!faults.is_empty());
                    "refused"
                }
            };
            *counts.borrow_mut().entry(kind).or_default() += 1;
            Ok(())
        })
        .unwrap();
    shares("bodies", &counts.borrow());
}
