//! One attempt at a command: the aggregates that it read, what they decided, and the one append that records it.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use domain::{DecodeError, StoredEvent};
use storage::bulk::BulkRow;
use storage::{Append, NewEvent, Receipt, Recorded, Store, StreamId, StreamWrite, Verdict, Wanted};

use crate::authorize::{allowed, allowed_somewhere};
use crate::states::Seen;
use crate::{Actor, Bus, CommandError, Governed, Grant, Request, ids};

/// How an attempt reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// A state seen lately will do: the append's expectation guards it.
    Cached,
    /// From the log, now.
    Fresh,
}

/// Everything that one attempt has read and decided. What was read is guarded: if any of it moved before the append,
/// nothing is recorded.
#[derive(Debug)]
pub struct Unit<'a> {
    bus: &'a Bus,
    request: &'a Request,
    reading: Reading,
    streams: Vec<Stream>,
    /// Rights of somebody else that count as the actor's own, see [`Unit::lend`].
    lent: Vec<Grant>,
    bulk: Vec<BulkRow>,
}

#[derive(Debug)]
struct Stream {
    id: StreamId,
    expected: u64,
    position: u64,
    weight: u64,
    /// Whether it was read from the log in this attempt.
    fresh: bool,
    /// With the decided events applied.
    state: Arc<dyn Any + Send + Sync>,
    decided: Vec<NewEvent>,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The last position of the command, or of what it read when it changed nothing.
    pub position: u64,
    /// False: everything was already as asked for.
    pub changed: bool,
    /// True: this very command had been recorded before.
    pub replayed: bool,
    heads: Vec<(StreamId, u64)>,
}

impl Outcome {
    /// The version of an aggregate after the command, 0 for one that it did not touch.
    pub fn version_of(&self, aggregate_type: &str, aggregate_id: &str) -> u64 {
        let is = |id: &StreamId| id.aggregate_type == aggregate_type && id.aggregate_id == aggregate_id;
        self.heads.iter().find(|(id, _)| is(id)).map_or(0, |(_, version)| *version)
    }

    /// What a command of former times left behind.
    pub(crate) fn replayed(events: &[Recorded]) -> Self {
        let mut heads: Vec<(StreamId, u64)> = Vec::new();
        for event in events {
            heads.retain(|(id, _)| *id != event.stream);
            heads.push((event.stream.clone(), event.sequence));
        }
        let position = events.last().map_or(0, |event| event.position);
        Self { position, changed: true, replayed: true, heads }
    }
}

/// How the append of an attempt ended.
pub(crate) enum Ended {
    Done(Outcome),
    /// Nothing was decided.
    Nothing(Outcome),
    Replayed(Receipt),
    /// Some of what was read has moved.
    Conflict,
}

impl<'a> Unit<'a> {
    pub(crate) fn new(bus: &'a Bus, request: &'a Request, reading: Reading) -> Self {
        Self { bus, request, reading, streams: Vec::with_capacity(1), lent: Vec::new(), bulk: Vec::new() }
    }

    /// What surrounds the command.
    pub fn request(&self) -> &'a Request {
        self.request
    }

    /// From here on the actor also has the rights of the one in whose name he acts.
    pub(crate) fn lend(&mut self, grants: &[Grant]) {
        self.lent.extend_from_slice(grants);
    }

    /// For facts that no stream holds.
    pub fn store(&self) -> &'a Store {
        self.bus.store()
    }

    /// The state of an aggregate; the default one where there is none. The first one read is what If-Match is about.
    pub async fn read<A: Governed>(&mut self, id: &str) -> Result<&A, CommandError> {
        let index = match self.index::<A>(id) {
            Some(index) => index,
            None => self.load::<A>(id).await?,
        };
        self.state::<A>(index)
    }

    /// Takes an aggregate for new without looking. If it is not, the append will tell.
    pub(crate) fn suppose_new<A: Governed>(&mut self, id: &str) {
        if self.reading == Reading::Cached {
            self.add(StreamId::new(A::TYPE, id), Seen::<A>::nothing(), false);
        }
    }

    /// Lets an aggregate decide, if the actor may ask it to; later decisions of this attempt see the outcome. Returns
    /// how many events were decided on.
    pub async fn decide<A: Governed>(&mut self, id: &str, command: &A::Command) -> Result<usize, CommandError> {
        self.read::<A>(id).await?;
        let Some(index) = self.index::<A>(id) else { return Ok(0) };
        let state = self.state::<A>(index)?;
        self.authorize(state, command)?;
        self.check_precondition(index)?;
        let events = state.decide(command)?;
        if events.is_empty() {
            return Ok(0);
        }
        let mut after = state.clone();
        let stream = &mut self.streams[index];
        for event in &events {
            after.apply(event);
            let decided = encode(event)?;
            stream.weight += decided.payload.len() as u64;
            stream.decided.push(decided);
        }
        stream.state = Arc::new(after);
        Ok(events.len())
    }

    /// Adds what one of this attempt's events holds the count and the digest of.
    pub(crate) fn attach(&mut self, rows: Vec<BulkRow>) {
        self.bulk.extend(rows);
    }

    fn authorize<A: Governed>(&self, state: &A, command: &A::Command) -> Result<(), CommandError> {
        let actor = &self.request.actor;
        if let Some(named) = A::by(command)
            && *named != actor.id
        {
            let (named, actor) = (named.to_string(), actor.id.to_string());
            return Err(CommandError::Impersonation { named, actor });
        }
        let action = state.action_here(command);
        let with_lent = |actor: &Actor| {
            let grants = actor.grants.iter().chain(&self.lent).cloned().collect();
            Actor { grants, ..actor.clone() }
        };
        let actor = &if self.lent.is_empty() { Cow::Borrowed(actor) } else { Cow::Owned(with_lent(actor)) };
        // The role counts also where no team is in question: nothing there, or nothing left of it.
        if allowed_somewhere(actor, action) && state.teams(command).into_iter().all(|team| allowed(actor, action, team))
        {
            Ok(())
        } else {
            Err(CommandError::Denied(action))
        }
    }

    fn check_precondition(&self, index: usize) -> Result<(), CommandError> {
        match self.request.if_match {
            Some(expected) if index == 0 && self.streams[0].decided.is_empty() => {
                let actual = self.streams[0].expected;
                if actual == expected { Ok(()) } else { Err(CommandError::Moved { expected, actual }) }
            }
            _ => Ok(()),
        }
    }

    /// Whether a refusal may rest on a state that has moved since.
    pub(crate) fn may_be_old(&self) -> bool {
        self.streams.iter().any(|stream| !stream.fresh)
    }

    /// Whether somebody in this process has meanwhile seen a later state of all that this attempt wrote to.
    pub(crate) fn is_behind(&self) -> bool {
        let later = |stream: &Stream| self.bus.states().sequence(&stream.id).is_some_and(|s| s > stream.expected);
        self.streams.iter().all(later)
    }

    pub(crate) fn touched(&self) -> Vec<StreamId> {
        self.streams.iter().map(|stream| stream.id.clone()).collect()
    }

    /// Records what was decided, if what was read still stands.
    pub(crate) async fn commit(&mut self) -> Result<Ended, CommandError> {
        if self.streams.iter().all(|stream| stream.decided.is_empty()) {
            return Ok(Ended::Nothing(self.unchanged()));
        }
        let writes = self.streams.iter_mut().map(|stream| StreamWrite {
            stream: stream.id.clone(),
            expected: stream.expected,
            events: std::mem::take(&mut stream.decided),
        });
        let mut append = Append::new(self.request.command_id, writes.collect());
        append.metadata = self.request.metadata();
        append.idempotency.clone_from(&self.request.idempotency);
        append.claim = self.request.claim;
        append.bulk = std::mem::take(&mut self.bulk);
        let written: Vec<u64> = append.streams.iter().map(|write| write.events.len() as u64).collect();
        match self.bus.store().append(append).await? {
            Verdict::Committed(receipt) => Ok(Ended::Done(self.keep(receipt, &written))),
            Verdict::Duplicate(receipt) => Ok(Ended::Replayed(receipt)),
            Verdict::Conflict => Ok(Ended::Conflict),
            Verdict::KeyReused => Err(CommandError::KeyReused),
            Verdict::Fenced => Err(CommandError::Fenced),
        }
    }

    fn unchanged(&self) -> Outcome {
        let heads = self.streams.iter().map(|stream| (stream.id.clone(), stream.expected)).collect();
        let position = self.streams.iter().map(|stream| stream.position).max().unwrap_or(0);
        Outcome { position, changed: false, replayed: false, heads }
    }

    /// Remembers the states that are now in the log.
    fn keep(&mut self, receipt: Receipt, written: &[u64]) -> Outcome {
        let mut heads = Vec::with_capacity(self.streams.len());
        let mut last = receipt.first - 1;
        for (stream, written) in self.streams.drain(..).zip(written) {
            last += written;
            let position = if *written == 0 { stream.position } else { last };
            let sequence = stream.expected + written;
            heads.push((stream.id.clone(), sequence));
            let seen = Seen { state: stream.state, sequence, position, weight: stream.weight };
            self.bus.states().keep(&stream.id, seen);
        }
        Outcome { position: receipt.last, changed: true, replayed: false, heads }
    }

    async fn load<A: Governed>(&mut self, id: &str) -> Result<usize, CommandError> {
        let stream = StreamId::new(A::TYPE, id);
        let cached = self.bus.states().get::<A>(&stream);
        if let (Reading::Cached, Some(seen)) = (self.reading, &cached) {
            let must_look = self.request.if_match.is_some_and(|version| version != seen.sequence);
            if !must_look {
                return Ok(self.add(stream, seen.clone(), false));
            }
        }
        let seen = catch_up::<A>(self.bus, &stream, cached.unwrap_or_else(Seen::nothing)).await?;
        Ok(self.add(stream, seen, true))
    }

    fn add<A: Governed>(&mut self, id: StreamId, seen: Seen<A>, fresh: bool) -> usize {
        let Seen { state, sequence, position, weight } = seen;
        self.streams.push(Stream { id, expected: sequence, position, weight, fresh, state, decided: Vec::new() });
        self.streams.len() - 1
    }

    fn index<A: Governed>(&self, id: &str) -> Option<usize> {
        self.streams.iter().position(|s| s.id.aggregate_type == A::TYPE && s.id.aggregate_id == id)
    }

    fn state<A: Governed>(&self, index: usize) -> Result<&A, CommandError> {
        // A stream's type names the aggregate's Rust type: two aggregates of one TYPE would be a fault of ours.
        self.streams[index].state.downcast_ref().ok_or_else(|| {
            CommandError::Undecodable(DecodeError::UnknownAggregate { aggregate_type: A::TYPE.to_owned() })
        })
    }
}

/// Brings a state up to the log's present end, and remembers it.
pub(crate) async fn catch_up<A: Governed>(
    bus: &Bus,
    stream: &StreamId,
    from: Seen<A>,
) -> Result<Seen<A>, CommandError> {
    let wanted = Wanted { stream: stream.clone(), after: from.sequence };
    let events = bus.store().load_all(vec![wanted]).await?.pop().unwrap_or_default();
    let Some(last) = events.last() else { return Ok(from) };
    let (sequence, position) = (last.sequence, last.position);
    let Seen { mut state, mut weight, .. } = from;
    let folded = Arc::make_mut(&mut state);
    for event in &events {
        folded.apply(&decode::<A>(event)?);
        weight += event.payload.len() as u64;
    }
    let seen = Seen { state, sequence, position, weight };
    bus.states().keep(stream, seen.clone().erased());
    Ok(seen)
}

fn decode<A: Governed>(event: &Recorded) -> Result<A::Event, DecodeError> {
    let malformed =
        |source| DecodeError::Malformed { name: event.event_type.clone(), version: event.event_version, source };
    let payload = serde_json::from_str(&event.payload).map_err(malformed)?;
    A::Event::decode(&event.event_type, event.event_version, payload)
}

fn encode<E: StoredEvent>(event: &E) -> Result<NewEvent, DecodeError> {
    let malformed = |source| DecodeError::Malformed { name: event.name().to_owned(), version: event.version(), source };
    Ok(NewEvent {
        event_id: ids::fresh(),
        event_type: event.name().to_owned(),
        event_version: event.version(),
        payload: serde_json::to_string(event).map_err(malformed)?,
    })
}
