//! Every aggregate type and every event that this binary knows: what the auditors' tools and the views read the log by.

use std::any::Any;
use std::sync::Arc;

use crate::api_token::ApiToken;
use crate::approval::Approval;
use crate::incident::Incident;
use crate::partner_access::PartnerAccess;
use crate::partner_grant::PartnerGrant;
use crate::platform::Platform;
use crate::runbook::Runbook;
use crate::session::Session;
use crate::status_page::StatusPage;
use crate::status_page_slug::StatusPageSlug;
use crate::team::Team;
use crate::user::User;
use crate::{Aggregate, DecodeError, StoredEvent};

/// An event of some aggregate: whoever knows of which one gets it back by its type.
pub type Fact = Arc<dyn Any + Send + Sync>;

/// One aggregate type. A new aggregate is one line in [`CATALOGUE`].
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub aggregate_type: &'static str,
    /// The stored names of its events.
    pub events: &'static [&'static str],
    decode: fn(&str, u32, &str) -> Result<Fact, DecodeError>,
}

pub const CATALOGUE: &[Entry] = &[
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

const fn entry<A: Aggregate>() -> Entry {
    Entry {
        aggregate_type: A::TYPE,
        events: A::Event::NAMES,
        decode: |name, version, payload| Ok(Arc::new(A::Event::decode_text(name, version, payload)?)),
    }
}

/// Reads a stored event, whichever aggregate's it is.
pub fn decode(aggregate_type: &str, event_type: &str, version: u32, payload: &str) -> Result<Fact, DecodeError> {
    match CATALOGUE.iter().find(|entry| entry.aggregate_type == aggregate_type) {
        Some(entry) => (entry.decode)(event_type, version, payload),
        None => Err(DecodeError::UnknownAggregate { aggregate_type: aggregate_type.to_owned() }),
    }
}
