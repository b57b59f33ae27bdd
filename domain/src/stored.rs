//! Events as they are stored for decades: a name, an integer version, and the upcasters that lift old versions.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Lifts one version of one event type to the next. Runs on read; what is stored never changes.
#[derive(Debug, Clone, Copy)]
pub struct Upcaster {
    pub event_type: &'static str,
    pub from: u32,
    pub lift: fn(Value) -> Value,
}

/// A fact that an aggregate decides on. Serialised with an internal tag `type` that holds its stored name.
pub trait StoredEvent: Serialize + DeserializeOwned + Clone + PartialEq + Debug + Send + Sync + 'static {
    /// Every stored name of this aggregate's events.
    const NAMES: &'static [&'static str];

    /// Every upcaster of this aggregate's events, in any order; each lifts by one version.
    const UPCASTERS: &'static [Upcaster];

    /// The stored name, `runbook.approved`: never a Rust path.
    fn name(&self) -> &'static str;

    /// The version that is written today.
    fn version(&self) -> u32;

    /// Reads a stored event of any version ever written.
    fn decode(name: &str, version: u32, payload: Value) -> Result<Self, DecodeError> {
        decode_with(Self::UPCASTERS, name, version, payload)
    }

    /// The same from its stored text; what needs no lifting is not taken apart and put together first.
    fn decode_text(name: &str, version: u32, payload: &str) -> Result<Self, DecodeError> {
        known::<Self>(name)?;
        let steps = || Self::UPCASTERS.iter().filter(|upcaster| upcaster.event_type == name);
        // Each step lifts by one, from 1 on: whatever is beyond the last may look like anything.
        let newest = 1 + u32::try_from(steps().count()).unwrap_or(u32::MAX - 1);
        if version > newest {
            return Err(DecodeError::Version { name: name.to_owned(), found: version, known: newest });
        }
        let malformed = |source| DecodeError::Malformed { name: name.to_owned(), version, source };
        if steps().any(|upcaster| upcaster.from == version) {
            return Self::decode(name, version, serde_json::from_str(payload).map_err(malformed)?);
        }
        checked(serde_json::from_str(payload).map_err(malformed)?, name, version, version)
    }
}

/// Reads a stored event through `upcasters`.
pub fn decode_with<E: StoredEvent>(
    upcasters: &[Upcaster],
    name: &str,
    version: u32,
    payload: Value,
) -> Result<E, DecodeError> {
    known::<E>(name)?;
    let (lifted_to, payload) = lift(upcasters, name, version, payload);
    let event: E = serde_json::from_value(payload).map_err(|source| DecodeError::Malformed {
        name: name.to_owned(),
        version,
        source,
    })?;
    checked(event, name, version, lifted_to)
}

fn known<E: StoredEvent>(name: &str) -> Result<(), DecodeError> {
    if E::NAMES.contains(&name) { Ok(()) } else { Err(DecodeError::Unknown { name: name.to_owned() }) }
}

fn checked<E: StoredEvent>(event: E, name: &str, version: u32, lifted_to: u32) -> Result<E, DecodeError> {
    if event.name() != name {
        return Err(DecodeError::Misnamed { name: name.to_owned(), tag: event.name() });
    }
    // A version from the future may decode by luck and mean something else.
    if event.version() != lifted_to {
        return Err(DecodeError::Version { name: name.to_owned(), found: version, known: event.version() });
    }
    Ok(event)
}

/// Applies the upcasters of `name` from `version` on, and says which version came out.
pub fn lift(upcasters: &[Upcaster], name: &str, version: u32, payload: Value) -> (u32, Value) {
    let (mut version, mut payload) = (version, payload);
    while let Some(step) = upcasters.iter().find(|u| u.event_type == name && u.from == version) {
        payload = (step.lift)(payload);
        version += 1;
    }
    (version, payload)
}

impl DecodeError {
    /// Whether a newer binary could read it: a rollback or a deploy gap, not bad data.
    pub fn is_from_the_future(&self) -> bool {
        match self {
            Self::UnknownAggregate { .. } | Self::Unknown { .. } => true,
            Self::Version { found, known, .. } => found > known,
            Self::Misnamed { .. } | Self::Malformed { .. } => false,
        }
    }
}

/// A stored event that this binary cannot read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("no aggregate of type {aggregate_type} is known: was the event written by a newer binary?")]
    UnknownAggregate { aggregate_type: String },
    /// A rollback or a deploy gap, not bad data.
    #[error("event {name} is not known: was it written by a newer binary?")]
    Unknown { name: String },
    #[error("event {name} says in its payload that it is {tag}")]
    Misnamed { name: String, tag: &'static str },
    #[error("event {name} v{version} does not decode: {source}")]
    Malformed { name: String, version: u32, source: serde_json::Error },
    #[error("event {name} is stored as v{found}, this binary knows v{known}: was it written by a newer one?")]
    Version { name: String, found: u32, known: u32 },
}
