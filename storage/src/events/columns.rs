//! A batch of commands laid out as the columns that both databases take: commands, expectations, events, bulk rows.

use crate::StorageError;
use crate::events::{Append, NewEvent, Receipt, StreamWrite, Verdict};
use crate::random;

/// Where an event of the batch belongs. Indexes are 1-based, as SQL counts.
pub(crate) struct EventRow<'a> {
    pub(crate) command: i32,
    pub(crate) ord: i32,
    pub(crate) append: &'a Append,
    pub(crate) write: &'a StreamWrite,
    pub(crate) sequence: i64,
    pub(crate) event: &'a NewEvent,
}

/// An expectation that no stream can meet; those beyond it must not overflow the sequences that follow from them.
const BEYOND: u64 = 1 << 62;

impl EventRow<'_> {
    /// Whether its predecessor in the stream must be in the log already, and not in the same command.
    pub(crate) fn follows(&self) -> bool {
        self.sequence > 1 && self.sequence == signed(self.write.expected.min(BEYOND)) + 1
    }
}

/// The events of a batch in the order in which they are numbered.
pub(crate) fn events(batch: &[Append]) -> impl Iterator<Item = EventRow<'_>> {
    (1..).zip(batch).flat_map(|(command, append)| {
        append
            .streams
            .iter()
            .flat_map(|write| {
                (write.expected.min(BEYOND) + 1..)
                    .zip(&write.events)
                    .map(move |(sequence, event)| (write, sequence, event))
            })
            .zip(0..)
            .map(move |((write, sequence, event), ord)| EventRow {
                command,
                ord,
                append,
                write,
                sequence: signed(sequence),
                event,
            })
    })
}

/// The expectations of a batch with the index of their command.
pub(crate) fn expectations(batch: &[Append]) -> impl Iterator<Item = (i32, &StreamWrite)> {
    (1..).zip(batch).flat_map(|(command, append)| append.streams.iter().map(move |write| (command, write)))
}

/// The bulk rows of a batch: the index of their event, their order under it, and the row.
pub(crate) fn bulk(batch: &[Append]) -> impl Iterator<Item = (i32, i32, &crate::bulk::BulkRow)> {
    let mut before = 0;
    batch.iter().flat_map(move |append| {
        let first = before + 1;
        before += append.event_count();
        (0..).zip(&append.bulk).map(move |(ord, row)| (narrow(first + row.event), ord, row))
    })
}

/// Salts for `count` events, one behind the other.
pub(crate) fn salts(count: usize) -> Result<Vec<u8>, StorageError> {
    random::bytes(count * 16)
}

/// The verdicts when all of a batch was committed from `first` on.
pub(crate) fn all_committed(batch: &[Append], first: u64) -> Vec<Verdict> {
    let mut next = first;
    batch
        .iter()
        .map(|append| {
            let receipt = Receipt { first: next, last: next + append.event_count() as u64 - 1 };
            next = receipt.last + 1;
            Verdict::Committed(receipt)
        })
        .collect()
}

/// A verdict from the words that the databases use for it.
pub(crate) fn verdict(word: &str, first: Option<i64>, last: Option<i64>) -> Result<Verdict, StorageError> {
    let receipt = || match (first, last) {
        (Some(first), Some(last)) => Ok(Receipt { first: unsigned(first), last: unsigned(last) }),
        _ => Err(StorageError::Incompatible(format!("the log answered '{word}' without a position"))),
    };
    Ok(match word {
        "committed" => Verdict::Committed(receipt()?),
        "duplicate" => Verdict::Duplicate(receipt()?),
        "conflict" => Verdict::Conflict,
        "key_reused" => Verdict::KeyReused,
        "fenced" => Verdict::Fenced,
        other => return Err(StorageError::Incompatible(format!("the log answered '{other}'"))),
    })
}

pub(crate) fn signed(number: u64) -> i64 {
    // Positions and sequences count events: 2^63 of them do not fit into any database.
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(crate) fn narrow(number: usize) -> i32 {
    // Indexes within a batch, which `Limits` keeps far below 2^31.
    i32::try_from(number).unwrap_or(i32::MAX)
}
