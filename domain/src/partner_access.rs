//! What partners have asked for, a batch at a time: the rows themselves stand beside the log, and this event holds their
//! count and digest, so that what proves the event proves them. Each batch is a stream of its own: batches know nothing
//! of each other, so no two writers ever wait for one another.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::PartnerGrantId;
use crate::{Aggregate, Fault, Refusal, StoredEvent, Upcaster, ids};

/// Rows of one batch at most.
pub const ROWS: u64 = 500;

/// One batch, once it is recorded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PartnerAccess {
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Record(Batch),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "partner_access.recorded")]
    Recorded(Batch),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// How many rows, and the SHA-256 over them in hexadecimal digits.
    pub count: u64,
    pub sha256: String,
    /// How many of them are of each grant.
    pub grants: BTreeMap<PartnerGrantId, u64>,
    /// When the first and the last of them was asked for.
    pub first_at: Timestamp,
    pub last_at: Timestamp,
}

impl StoredEvent for Event {
    const NAMES: &'static [&'static str] = &["partner_access.recorded"];

    const UPCASTERS: &'static [Upcaster] = &[];

    fn name(&self) -> &'static str {
        let Self::Recorded(_) = self;
        "partner_access.recorded"
    }

    fn version(&self) -> u32 {
        1
    }
}

crate::cqrs::domain_event!(Event);

impl Aggregate for PartnerAccess {
    const TYPE: &'static str = "partner_access";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let Command::Record(batch) = command;
        let mut faults = Vec::new();
        if !(1..=ROWS).contains(&batch.count) || batch.grants.values().sum::<u64>() != batch.count {
            faults.push(Fault::new("/count", format!("must be 1 to {ROWS}, and as many as those of all grants")));
        }
        if batch.sha256.len() != 64 || !batch.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            faults.push(Fault::new("/sha256", "must be 64 hexadecimal digits"));
        }
        if batch.last_at < batch.first_at {
            faults.push(Fault::new("/last_at", "must not be before the first"));
        }
        for grant in batch.grants.keys() {
            ids::check(grant, "/grants", &mut faults);
        }
        crate::text::refuse_if_any(faults)?;
        if self.count > 0 {
            return Err(Refusal::state("accesses_recorded", "this batch of accesses is recorded already"));
        }
        Ok(vec![Event::Recorded(batch.clone())])
    }

    fn apply(&mut self, event: &Event) {
        let Event::Recorded(batch) = event;
        self.count = batch.count;
    }
}
