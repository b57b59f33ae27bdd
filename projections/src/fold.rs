//! Folding a batch of events into the documents of one view. Pure but for the documents that it asks for; what comes
//! out is one commit, and the documents as they are kept for the next batch.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use storage::documents::{CountDelta, Document, Halt, HaltKind, Parked, Stored, Touch};

use crate::event::in_short;
use crate::view::Origin;
use crate::{Decoded, Event, View};

/// What a document weighs in memory for each byte of its text, roughly.
const WEIGHT_OF_A_BYTE: usize = 3;

/// A document between two batches.
#[derive(Debug, Clone)]
pub(crate) struct Kept<V> {
    document: V,
    position: u64,
    parked: Option<Parked>,
    counted: Vec<(&'static str, String)>,
    weight: usize,
}

impl<V: View> Kept<V> {
    fn nothing() -> Self {
        Self { document: V::default(), position: 0, parked: None, counted: Vec::new(), weight: 0 }
    }

    /// A document as it was stored. One that this binary cannot read was not written by this version of the view.
    pub(crate) fn of(stored: Stored) -> Result<Self, serde_json::Error> {
        let document: V = serde_json::from_str(&stored.body)?;
        let counted = if stored.position == 0 { Vec::new() } else { document.counted() };
        let weight = stored.body.len() * WEIGHT_OF_A_BYTE;
        Ok(Self { document, position: stored.position, parked: stored.parked, counted, weight })
    }

    fn written(&self, key: &str, body: String) -> Document {
        Document {
            key: key.to_owned(),
            position: self.position,
            body,
            columns: self.document.columns(),
            terms: self.document.terms(),
            parked: self.parked.clone(),
        }
    }
}

/// What a view does with a batch of events.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    steps: Vec<(String, Deed<'a>)>,
    /// Up to where it comes.
    pub(crate) to: u64,
    /// Why it comes no further.
    pub(crate) halt: Option<Halt>,
}

#[derive(Debug)]
enum Deed<'a> {
    Apply(&'a Decoded),
    Park(Parked),
}

/// Events that panicked a fold, by document and position.
pub(crate) type Poisoned = BTreeMap<(String, u64), String>;

impl<'a> Plan<'a> {
    /// `events` come after the position `from`.
    pub(crate) fn of<V: View>(from: u64, events: &'a [Event], skips: &BTreeSet<u64>, poisoned: &Poisoned) -> Self {
        let mut plan = Self { steps: Vec::with_capacity(events.len()), to: from, halt: None };
        for event in events {
            if V::READS.contains(&event.aggregate_type()) && !skips.contains(&event.position()) {
                let before = plan.steps.len();
                plan.halt = plan.step::<V>(event, poisoned).err();
                if plan.halt.is_some() {
                    // What it did to other documents belongs to what it cannot do.
                    plan.steps.truncate(before);
                }
            }
            if plan.halt.is_some() {
                break;
            }
            plan.to = event.position();
        }
        plan
    }

    fn step<V: View>(&mut self, event: &'a Event, poisoned: &Poisoned) -> Result<(), Halt> {
        match event {
            Event::Undecodable(event) if event.from_the_future => {
                Err(Halt { kind: HaltKind::Unknown, position: event.position, why: event.why.clone() })
            }
            Event::Undecodable(event) => {
                self.poison::<V>(event.aggregate_id.clone(), event.position, event.why.clone())
            }
            Event::Decoded(event) => {
                for key in V::keys(event) {
                    let known = if poisoned.is_empty() { None } else { poisoned.get(&(key.clone(), event.position())) };
                    match known {
                        Some(why) => self.poison::<V>(key, event.position(), why.clone())?,
                        None => self.steps.push((key, Deed::Apply(event))),
                    }
                }
                Ok(())
            }
        }
    }

    /// One document can be set aside where its stream is all that it is made of; any other view must stop.
    fn poison<V: View>(&mut self, key: String, at: u64, why: String) -> Result<(), Halt> {
        if V::ORIGIN == Origin::Stream {
            self.steps.push((key, Deed::Park(Parked { at, why })));
            Ok(())
        } else {
            Err(Halt { kind: HaltKind::Poison, position: at, why })
        }
    }

    /// The documents that it needs and nobody has yet, each once. What a stream begins with makes a new document.
    pub(crate) fn missing<V: View>(&self, kept: &HashMap<String, Kept<V>>) -> Vec<String> {
        if V::ORIGIN == Origin::Event {
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let mut missing = Vec::new();
        for (key, deed) in &self.steps {
            let begins = matches!(deed, Deed::Apply(event) if V::ORIGIN == Origin::Stream && event.sequence() == 1);
            if seen.insert(key) && !begins && !kept.contains_key(key) {
                missing.push(key.clone());
            }
        }
        missing
    }
}

/// A fold panicked over an event.
#[derive(Debug)]
pub(crate) struct Panicked {
    pub(crate) key: String,
    pub(crate) position: u64,
    pub(crate) why: String,
}

/// What comes of a batch.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    pub(crate) documents: Vec<Document>,
    pub(crate) touches: Vec<Touch>,
    pub(crate) counts: Vec<CountDelta>,
}

impl Folded {
    /// Takes a document out of the counts, as it was counted before it was folded from nothing again.
    pub(crate) fn uncount<V>(&mut self, was: &Kept<V>) {
        for (grouping, value) in &was.counted {
            let of = |delta: &&mut CountDelta| delta.grouping == *grouping && delta.value == *value;
            match self.counts.iter_mut().find(of) {
                Some(delta) => delta.by -= 1,
                None => self.counts.push(CountDelta { grouping, value: value.clone(), by: -1 }),
            }
        }
        self.counts.retain(|delta| delta.by != 0);
    }
}

/// Carries out a plan on `kept`, which holds all documents that it needs and are there. After a panic `kept` is of no
/// use any more.
pub(crate) fn fold<V: View>(plan: Plan<'_>, kept: &mut HashMap<String, Kept<V>>) -> Result<Folded, Panicked> {
    let mut folded = Folded::default();
    let mut touched: BTreeSet<String> = BTreeSet::new();
    for (key, deed) in plan.steps {
        let one = match kept.get_mut(&key) {
            Some(one) => one,
            None => kept.entry(key.clone()).or_insert_with(Kept::nothing),
        };
        let at = match &deed {
            Deed::Apply(event) => event.position(),
            Deed::Park(parked) => parked.at,
        };
        // What was repaired meanwhile may be ahead.
        if at <= one.position {
            continue;
        }
        if !touched.contains(&key) {
            touched.insert(key.clone());
        }
        // What is parked stands still, but is written again: whoever repairs it at this moment has not seen this event.
        if one.parked.is_some() {
            continue;
        }
        match deed {
            Deed::Apply(event) => {
                catch_unwind(AssertUnwindSafe(|| one.document.apply(event))).map_err(|panic| Panicked {
                    key: key.clone(),
                    position: at,
                    why: in_short(&format!("the fold panicked: {}", words_of(&*panic))),
                })?;
                one.position = at;
            }
            Deed::Park(parked) => one.parked = Some(parked),
        }
        if V::ORIGIN == Origin::Streams {
            folded.touches.push(Touch { key, position: at });
        }
    }
    let mut counts: BTreeMap<(&'static str, String), i64> = BTreeMap::new();
    for key in &touched {
        let Some(one) = kept.get_mut(key) else { continue };
        // A document of which nothing could be folded is none of anything.
        let counted = if one.position == 0 { Vec::new() } else { one.document.counted() };
        if counted != one.counted {
            count(&mut counts, std::mem::replace(&mut one.counted, counted.clone()), -1);
            count(&mut counts, counted, 1);
        }
        let body = serde_json::to_string(&one.document).map_err(|error| Panicked {
            key: key.clone(),
            position: one.position,
            why: format!("the document cannot be written: {error}"),
        })?;
        one.weight = body.len() * WEIGHT_OF_A_BYTE;
        folded.documents.push(one.written(key, body));
    }
    let delta = |((grouping, value), by)| CountDelta { grouping, value, by };
    folded.counts = counts.into_iter().filter(|(_, by)| *by != 0).map(delta).collect();
    if V::ORIGIN == Origin::Event {
        kept.clear();
    }
    Ok(folded)
}

fn count(counts: &mut BTreeMap<(&'static str, String), i64>, groups: Vec<(&'static str, String)>, by: i64) {
    for group in groups {
        *counts.entry(group).or_default() += by;
    }
}

/// What a panic says, as far as it says anything.
pub(crate) fn words_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a word")
}

/// Lets go of documents, the ones not in `last` first, when they weigh more than `budget` together.
pub(crate) fn trim<V: View>(kept: &mut HashMap<String, Kept<V>>, last: &[Document], budget: usize) {
    // What is parked may be repaired by anybody at any time.
    kept.retain(|_, one| one.parked.is_none());
    if kept.values().map(|one| one.weight).sum::<usize>() <= budget {
        return;
    }
    let last: BTreeSet<&str> = last.iter().map(|document| document.key.as_str()).collect();
    kept.retain(|key, _| last.contains(key.as_str()));
    if kept.values().map(|one| one.weight).sum::<usize>() > budget {
        kept.clear();
    }
}
