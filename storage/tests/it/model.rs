//! The log as a plain value: what an append means, without a database. The state machine compares the real ones with
//! it, and the deterministic tests put it behind their fake.

use std::collections::HashMap;
use std::time::Duration;

use storage::work::Claim;
use storage::{Append, Receipt, Recorded, StreamId, Verdict, Wanted};
use uuid::Uuid;

/// A rule that the model leaves out, so that a comparison with the real thing must fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    ForgetsCommands,
    ForgetsKeys,
    ForgetsBodies,
    ForgetsExpiry,
    ForgetsClaims,
    ForgetsGuards,
    AllowsGaps,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    log: Vec<Recorded>,
    heads: HashMap<StreamId, u64>,
    commands: HashMap<Uuid, Receipt>,
    keys: HashMap<(String, String), Key>,
    /// The attempt under which work is claimed; None when it is not.
    claims: HashMap<Uuid, Option<i32>>,
    flaw: Option<Flaw>,
}

#[derive(Debug)]
struct Key {
    body: [u8; 32],
    command: Uuid,
    /// Only two lifetimes: over at once, or for ever.
    expired: bool,
}

impl Model {
    pub(crate) fn with_flaw(flaw: Option<Flaw>) -> Self {
        Self { flaw, ..Self::default() }
    }

    fn keeps(&self, rule: Flaw) -> bool {
        self.flaw != Some(rule)
    }

    pub(crate) fn log(&self) -> &[Recorded] {
        &self.log
    }

    pub(crate) fn head(&self, stream: &StreamId) -> u64 {
        self.heads.get(stream).copied().unwrap_or(0)
    }

    pub(crate) fn receipt(&self, command: Uuid) -> Option<Receipt> {
        self.commands.get(&command).copied()
    }

    pub(crate) fn claim(&mut self, claim: Claim) {
        self.claims.insert(claim.work_id, Some(claim.attempt));
    }

    pub(crate) fn append(&mut self, append: &Append) -> Verdict {
        let verdict = self.judge(append);
        if let Verdict::Committed(_) = verdict {
            self.record(append);
        }
        verdict
    }

    fn judge(&self, append: &Append) -> Verdict {
        if let Some(receipt) = self.receipt(append.command_id).filter(|_| self.keeps(Flaw::ForgetsCommands)) {
            return Verdict::Duplicate(receipt);
        }
        if let Some(asked) = &append.idempotency
            && let Some(key) = self.keys.get(&(asked.principal.clone(), asked.key.clone()))
            && self.keeps(Flaw::ForgetsKeys)
            && !(key.expired && self.keeps(Flaw::ForgetsExpiry))
        {
            let same = key.body == asked.body_sha256 || !self.keeps(Flaw::ForgetsBodies);
            return if same { Verdict::Duplicate(self.commands[&key.command]) } else { Verdict::KeyReused };
        }
        if let Some(claim) = append.claim
            && self.claims.get(&claim.work_id) != Some(&Some(claim.attempt))
            && self.keeps(Flaw::ForgetsClaims)
        {
            return Verdict::Fenced;
        }
        let holds = |write: &storage::StreamWrite| {
            let head = self.head(&write.stream);
            write.expected == head
                || (write.events.is_empty() && !self.keeps(Flaw::ForgetsGuards))
                || (write.expected > head && !self.keeps(Flaw::AllowsGaps))
        };
        if !append.streams.iter().all(holds) {
            return Verdict::Conflict;
        }
        let first = self.log.len() as u64 + 1;
        Verdict::Committed(Receipt { first, last: first + append.event_count() as u64 - 1 })
    }

    fn record(&mut self, append: &Append) {
        let first = self.log.len() as u64 + 1;
        for write in &append.streams {
            for (sequence, event) in (write.expected + 1..).zip(&write.events) {
                let position = self.log.len() as u64 + 1;
                self.heads.insert(write.stream.clone(), sequence);
                self.log.push(Recorded {
                    position,
                    stream: write.stream.clone(),
                    sequence,
                    event_type: event.event_type.clone(),
                    event_version: event.event_version,
                    payload: event.payload.clone(),
                    metadata: append.metadata.clone(),
                    event_id: event.event_id,
                    command_id: append.command_id,
                    command_ord: u32::try_from(position - first).expect("a command is small"),
                    salt: [0; 16],
                    recorded_at_us: 0,
                });
            }
        }
        let command = append.command_id;
        self.commands.insert(command, Receipt { first, last: self.log.len() as u64 });
        if let Some(asked) = &append.idempotency {
            let expired = asked.lifetime == Duration::ZERO;
            let key = Key { body: asked.body_sha256, command, expired };
            self.keys.insert((asked.principal.clone(), asked.key.clone()), key);
        }
        if let Some(claim) = append.claim {
            self.claims.insert(claim.work_id, None);
        }
    }

    pub(crate) fn load(&self, wanted: &[Wanted]) -> Vec<Recorded> {
        let part = |wanted: &Wanted| {
            let Wanted { stream, after } = wanted.clone();
            self.log.iter().filter(move |event| event.stream == stream && event.sequence > after).cloned()
        };
        wanted.iter().flat_map(part).collect()
    }
}
