//! What surrounds a command: who asks, under which id, and what he already knows.

use std::collections::BTreeMap;
use std::time::Duration;

use storage::{Idempotency, work::Claim};
use uuid::Uuid;

use crate::actor::Credential;
use crate::{Actor, ids};

/// How long an idempotency key remembers what it was used for.
const KEY_LIFETIME: Duration = Duration::from_hours(24);

#[derive(Debug, Clone)]
pub struct Request {
    pub actor: Actor,
    /// Also the id of what the command creates.
    pub command_id: Uuid,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) claim: Option<Claim>,
    /// The version that the asker has seen. With it, a command does not retry over a change.
    pub if_match: Option<u64>,
    pub request_id: Option<String>,
    /// What this is part of; by default a story of its own.
    pub correlation_id: Option<String>,
    /// The event or command that led to this.
    pub causation_id: Option<String>,
    /// From where, sealed under the actor's key.
    pub ip_enc: Option<String>,
    /// With which program, sealed under the actor's key.
    pub client_enc: Option<String>,
}

impl Request {
    pub fn new(actor: Actor) -> Self {
        Self {
            actor,
            command_id: ids::fresh(),
            idempotency: None,
            claim: None,
            if_match: None,
            request_id: None,
            correlation_id: None,
            causation_id: None,
            ip_enc: None,
            client_enc: None,
        }
    }

    /// Under an idempotency key: the same key and body is the same command.
    #[must_use]
    pub fn keyed(mut self, key: &str, body_sha256: [u8; 32]) -> Self {
        let principal = format!("{}:{}", self.actor.kind.as_str(), self.actor.id);
        self.command_id = ids::of_request(&principal, key, &body_sha256);
        self.idempotency = Some(Idempotency { principal, key: key.to_owned(), body_sha256, lifetime: KEY_LIFETIME });
        self
    }

    /// One of many things that are asked for at once, each recorded on its own. Under the key of the whole it has a key
    /// of its own, which nobody can send: keys have no blank.
    #[must_use]
    pub fn part(&self, n: usize) -> Self {
        let mut part = self.clone();
        part.command_id = ids::derived(self.command_id, &n.to_string());
        part.correlation_id.get_or_insert_with(|| self.command_id.to_string());
        if let Some(idempotency) = &mut part.idempotency {
            idempotency.key = format!("{} {n}", idempotency.key);
        }
        part
    }

    /// The outcome of claimed work: recorded once, together with the closing of the work, or fenced.
    #[must_use]
    pub fn outcome(mut self, claim: Claim) -> Self {
        self.command_id = ids::of_outcome(claim.work_id);
        self.claim = Some(claim);
        self
    }

    #[must_use]
    pub fn if_match(mut self, version: Option<u64>) -> Self {
        self.if_match = version;
        self
    }

    /// What every event of the command carries: a flat map of strings, no identity datum among them.
    pub(crate) fn metadata(&self) -> String {
        let command_id = self.command_id.to_string();
        let mut metadata = BTreeMap::from([
            ("actor_kind", self.actor.kind.as_str()),
            ("actor_id", self.actor.id.as_str()),
            ("correlation_id", self.correlation_id.as_deref().unwrap_or(&command_id)),
        ]);
        metadata.extend(match &self.actor.credential {
            Some(Credential::Token(id)) => Some(("token_id", id.as_str())),
            Some(Credential::Session(id)) => Some(("session_id", id.as_str())),
            None => None,
        });
        metadata.extend(self.ip_enc.as_deref().map(|sealed| ("ip_enc", sealed)));
        metadata.extend(self.client_enc.as_deref().map(|sealed| ("client_enc", sealed)));
        metadata.extend(self.causation_id.as_deref().map(|id| ("causation_id", id)));
        metadata.extend(self.request_id.as_deref().map(|id| ("request_id", id)));
        serde_json::json!(metadata).to_string()
    }
}
