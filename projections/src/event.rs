//! An event as all views get it: decoded, or with the reason why it cannot be.

use std::sync::Arc;

use storage::Recorded;

use crate::Decoded;

#[derive(Debug, Clone)]
pub enum Event {
    Decoded(Decoded),
    Undecodable(Arc<Undecodable>),
}

#[derive(Debug)]
pub struct Undecodable {
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub position: u64,
    pub why: String,
    /// Whether a newer binary could read it: after a rollback, or between two deployments.
    pub from_the_future: bool,
}

impl Event {
    pub fn read(recorded: Recorded) -> Self {
        let (stream, position) = (recorded.stream.clone(), recorded.position);
        match Decoded::read(recorded) {
            Ok(decoded) => Self::Decoded(decoded),
            Err(error) => Self::Undecodable(Arc::new(Undecodable {
                aggregate_type: stream.aggregate_type,
                aggregate_id: stream.aggregate_id,
                position,
                from_the_future: error.is_from_the_future(),
                why: in_short(&error.to_string()),
            })),
        }
    }

    pub fn position(&self) -> u64 {
        match self {
            Self::Decoded(event) => event.position(),
            Self::Undecodable(event) => event.position,
        }
    }

    pub fn aggregate_type(&self) -> &str {
        match self {
            Self::Decoded(event) => &event.recorded().stream.aggregate_type,
            Self::Undecodable(event) => &event.aggregate_type,
        }
    }
}

/// Characters of a reason that are kept.
const REASON: usize = 1_000;

/// A reason as every database takes it: it may quote what nobody should have written.
pub(crate) fn in_short(why: &str) -> String {
    why.chars().filter(|c| *c != '\0').take(REASON).collect()
}
