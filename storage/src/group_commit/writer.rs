//! The append side: which commands may share a batch, and what its callers are told.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;
use uuid::Uuid;

use super::Limits;
use super::combine::{Combiner, Job, Waiting};
use super::resend::append_for_sure;
use crate::StorageError;
use crate::events::{Append, EventLog, StreamId, Verdict};
use crate::wake::Wakeups;

/// One per process: everything that this process appends goes through it.
pub struct Writer {
    combiner: Combiner<Appends>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.combiner.fmt(f)
    }
}

struct Asked {
    append: Append,
    at: Instant,
}

struct Appends {
    log: Arc<dyn EventLog>,
    limits: Limits,
    wakeups: Wakeups,
}

impl Writer {
    pub fn new(log: Arc<dyn EventLog>, limits: Limits) -> Self {
        Self::waking(log, limits, Wakeups::default())
    }

    pub(crate) fn waking(log: Arc<dyn EventLog>, limits: Limits, wakeups: Wakeups) -> Self {
        // One batch in flight: the log is appended to by one anyway, and two halves cost more than a whole.
        Self { combiner: Combiner::new(Appends { log, limits, wakeups }, 1, limits.waiting) }
    }

    /// Appends one command with whatever else is waiting. Safe to drop at any point: the command is then either
    /// recorded whole or not at all, and sending it again under the same id tells which.
    pub async fn append(&self, append: Append) -> Result<Verdict, StorageError> {
        check(&append)?;
        let lost = |_| StorageError::Unknown("the batch was abandoned".to_owned());
        self.combiner.submit(Asked { append, at: Instant::now() }).await.map_err(lost)?
    }
}

/// What no database could be asked to sort out.
fn check(append: &Append) -> Result<(), StorageError> {
    if append.event_count() == 0 {
        return Err(StorageError::Rejected("a command without events appends nothing".to_owned()));
    }
    if let Some(wrong) = append.streams.iter().find(|write| !write.stream.can_be()) {
        return Err(StorageError::Rejected(format!("{:?} cannot be a stream", wrong.stream)));
    }
    if append.idempotency.as_ref().is_some_and(|asked| asked.key.contains('\0') || asked.principal.contains('\0')) {
        return Err(StorageError::Rejected("an idempotency key holds no NUL".to_owned()));
    }
    let mut streams = HashSet::new();
    if let Some(twice) = append.streams.iter().find(|write| !streams.insert(&write.stream)) {
        let StreamId { aggregate_type, aggregate_id } = &twice.stream;
        return Err(StorageError::Rejected(format!("{aggregate_type} {aggregate_id} stands twice in one command")));
    }
    if let Some(row) = append.bulk.iter().find(|row| row.event >= append.event_count()) {
        return Err(StorageError::Rejected(format!(
            "a bulk row of event {}, which the command does not have",
            row.event
        )));
    }
    Ok(())
}

impl Job for Appends {
    type Ask = Asked;
    type Answer = Result<Verdict, StorageError>;

    /// In order, but at most one command a stream, a command id, an idempotency key and a claim: the others of a
    /// kind wait for the next batch, whose verdict on them will know this one's outcome.
    fn select(&self, waiting: &mut VecDeque<Waiting<Self>>) -> Vec<Waiting<Self>> {
        let mut batch = Vec::new();
        let mut taken = Taken::default();
        let mut bytes = 0;
        let mut later = VecDeque::new();
        while let Some(next) = waiting.pop_front() {
            let weight = next.ask.append.weight();
            if batch.len() == self.limits.batch_commands
                || (!batch.is_empty() && bytes + weight > self.limits.batch_bytes)
            {
                waiting.push_front(next);
                break;
            }
            if taken.admit(&next.ask.append) {
                bytes += weight;
                batch.push(next);
            } else {
                later.push_back(next);
            }
        }
        later.append(waiting);
        *waiting = later;
        batch
    }

    async fn run(&self, asks: Vec<Asked>) -> Vec<Self::Answer> {
        // Patience counts from the asking: who waited while others tried in vain has waited too.
        let deadline = asks.iter().map(|asked| asked.at + self.limits.patience).max().unwrap_or_else(Instant::now);
        let batch = asks.into_iter().map(|asked| asked.append).collect();
        let answers = append_for_sure(&*self.log, batch, deadline).await;
        let head = answers.iter().filter_map(|answer| match answer {
            Ok(Verdict::Committed(receipt)) => Some(receipt.last),
            _ => None,
        });
        if let Some(head) = head.max() {
            self.wakeups.appended(head);
        }
        answers
    }
}

/// What the commands of a batch have laid their hands on.
#[derive(Default)]
struct Taken {
    streams: HashSet<StreamId>,
    commands: HashSet<Uuid>,
    keys: HashSet<(String, String)>,
    claims: HashSet<Uuid>,
}

impl Taken {
    /// Whether a command shares nothing with those admitted before. What it touches is taken either way, so that
    /// two commands on one stream keep their order.
    fn admit(&mut self, append: &Append) -> bool {
        let mut free = self.commands.insert(append.command_id);
        for write in &append.streams {
            free &= self.streams.insert(write.stream.clone());
        }
        if let Some(key) = &append.idempotency {
            free &= self.keys.insert((key.principal.clone(), key.key.clone()));
        }
        if let Some(claim) = append.claim {
            free &= self.claims.insert(claim.work_id);
        }
        free
    }
}
