//! An event as folds see it: decoded once, whichever views look at it.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use domain::api_token::ApiToken;
use domain::approval::Approval;
use domain::incident::Incident;
use domain::partner_access::PartnerAccess;
use domain::partner_grant::PartnerGrant;
use domain::platform::Platform;
use domain::runbook::Runbook;
use domain::session::Session;
use domain::status_page::StatusPage;
use domain::status_page_slug::StatusPageSlug;
use domain::team::Team;
use domain::user::User;
use domain::{Aggregate, DecodeError, StoredEvent};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use storage::Recorded;

use crate::ReadError;

/// How the events of one aggregate type are read. A new aggregate is one line.
struct Entry {
    aggregate_type: &'static str,
    decode: fn(&str, u32, &str) -> Result<Fact, DecodeError>,
}

const DECODERS: &[Entry] = &[
    entry::<Runbook>(),
    entry::<Incident>(),
    entry::<Approval>(),
    entry::<User>(),
    entry::<Team>(),
    entry::<ApiToken>(),
    entry::<Session>(),
    entry::<Platform>(),
    entry::<StatusPage>(),
    entry::<StatusPageSlug>(),
    entry::<PartnerGrant>(),
    entry::<PartnerAccess>(),
];

type Fact = Arc<dyn Any + Send + Sync>;

const fn entry<A: Aggregate>() -> Entry {
    Entry {
        aggregate_type: A::TYPE,
        decode: |name, version, payload| Ok(Arc::new(A::Event::decode_text(name, version, payload)?)),
    }
}

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
    let Recorded { stream, event_type, event_version, .. } = recorded;
    let Some(entry) = DECODERS.iter().find(|entry| entry.aggregate_type == stream.aggregate_type) else {
        return Err(DecodeError::UnknownAggregate { aggregate_type: stream.aggregate_type.clone() });
    };
    (entry.decode)(event_type, *event_version, &recorded.payload)
}

#[cfg(test)]
mod tests {
    use super::DECODERS;

    #[test]
    fn every_aggregate_of_the_catalogue_is_read_here() {
        let known: Vec<&str> = DECODERS.iter().map(|entry| entry.aggregate_type).collect();
        let all: Vec<&str> = domain::catalogue::CATALOGUE.iter().map(|entry| entry.aggregate_type).collect();
        assert_eq!(known, all);
    }
}
