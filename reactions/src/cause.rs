//! Why a piece of work is in the queue. It travels with the work, so that its outcome can say so in the log.

use commands::{Actor, ActorKind, Request};
use projections::Decoded;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use storage::work::Claim;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The name of the reactor that asked for it.
    pub reactor: String,
    /// The event on which it did.
    pub event_id: String,
    /// The story that the event is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// A row's payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) cause: Cause,
    pub(crate) payload: Value,
}

impl Cause {
    pub(crate) fn new(reactor: &str, event: &Decoded) -> Self {
        Self {
            reactor: reactor.to_owned(),
            event_id: event.recorded().event_id.to_string(),
            correlation_id: event.metadata("correlation_id").map(str::to_owned),
        }
    }

    /// What surrounds the command that tells the outcome under `claim`.
    pub(crate) fn request(&self, claim: Claim) -> Request {
        let mut request = Request::new(Actor::system(ActorKind::Reaction, &*self.reactor)).outcome(claim);
        request.causation_id = Some(self.event_id.clone());
        request.correlation_id.clone_from(&self.correlation_id);
        request
    }
}
