//! An event as folds see it: decoded once, whichever views look at it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use domain::catalogue::{self, Fact};
use domain::{Aggregate, DecodeError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use storage::Recorded;

use crate::ReadError;

/// Who acted, as every event says it: opaque.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// `user`, `api_token`, `partner`, `reaction` or `system`.
    pub kind: String,
    pub id: String,
}

#[derive(Clone)]
pub struct Decoded {
    recorded: Arc<Recorded>,
    /// Read when the first one asks for it: most folds do not.
    metadata: Arc<OnceLock<BTreeMap<String, String>>>,
    fact: Fact,
}

impl fmt::Debug for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.recorded.fmt(f)
    }
}

impl Decoded {
    pub fn new(recorded: Recorded) -> Result<Self, ReadError> {
        let position = recorded.position;
        Self::read(recorded).map_err(|source| ReadError::Undecodable { position, source })
    }

    pub(crate) fn read(recorded: Recorded) -> Result<Self, DecodeError> {
        let fact = decode(&recorded)?;
        Ok(Self { recorded: Arc::new(recorded), metadata: Arc::default(), fact })
    }

    /// The fact, if it is one of aggregate `A`.
    pub fn of<A: Aggregate>(&self) -> Option<&A::Event> {
        self.fact.downcast_ref()
    }

    pub fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    pub fn aggregate_id(&self) -> &str {
        &self.recorded.stream.aggregate_id
    }

    pub fn position(&self) -> u64 {
        self.recorded.position
    }

    pub fn sequence(&self) -> u64 {
        self.recorded.sequence
    }

    pub fn at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.recorded.recorded_at_us).unwrap_or_default()
    }

    pub fn actor(&self) -> Option<Actor> {
        Some(Actor { kind: self.metadata("actor_kind")?.to_owned(), id: self.metadata("actor_id")?.to_owned() })
    }

    pub fn metadata(&self, name: &str) -> Option<&str> {
        // What surrounds a fact must never make it unreadable.
        let read = || serde_json::from_str(&self.recorded.metadata).unwrap_or_default();
        self.metadata.get_or_init(read).get(name).map(String::as_str)
    }
}

fn decode(recorded: &Recorded) -> Result<Fact, DecodeError> {
    let Recorded { stream, event_type, event_version, payload, .. } = recorded;
    catalogue::decode(&stream.aggregate_type, event_type, *event_version, payload)
}
