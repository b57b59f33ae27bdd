//! What a runbook does: the whole definition, valid since it exists.
//!
//! [`parse`] is the only road from outside. Deserialising is for the log alone: what was stored was checked when it was
//! written, and is never refused later by rules that have become stricter.

pub mod action;
pub mod conditions;
mod connected;
mod control;
mod differences;
pub mod limits;
mod outward;
mod parameters;
mod parse;
mod reader;
mod scope;
pub mod secrets;
pub mod step;
mod steps;
pub mod templates;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use action::Action;
pub use differences::{Difference, Op};
pub use limits::CHANGE_NOTE_CHARACTERS;
pub use parse::parse;
pub use step::Step;

use crate::Fault;
use crate::ids::TeamId;

/// Everything in here is what an approver approves, so all of it is hashed: also the team and the environment, since
/// they decide who may run it and where; a change of scope needs a new approval. Not in here, and not hashed, is the
/// change note: it speaks about a change, and correcting it must not invalidate an approval.
///
/// A field that is added later must be skipped in the JSON while it has its default, or the hash of every stored
/// definition would change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    name: String,
    description: String,
    /// None is global.
    team_id: Option<TeamId>,
    tags: BTreeSet<String>,
    environment: Option<String>,
    /// A JSON Schema.
    parameters: Value,
    /// Constants, for use in templates and conditions.
    variables: BTreeMap<String, Value>,
    steps: Vec<Step>,
    /// How long a step may take that says nothing itself. Waiting for people or for a time does not count.
    timeout_seconds: u32,
    concurrency: Concurrency,
}

/// What is sent to create or edit a runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    pub definition: Definition,
    pub change_note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Concurrency {
    pub policy: ConcurrencyPolicy,
    #[serde(default)]
    pub limits: ConcurrencyLimits,
}

/// What happens to an execution that is asked for while another one runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConcurrencyPolicy {
    #[default]
    Allow,
    Queue,
    Skip,
    CancelPrevious,
}

/// Running at the same time, and the circuit breaker.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConcurrencyLimits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_runbook: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_target: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_team: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_per_hour: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<u32>,
}

impl Definition {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn description(&self) -> &str {
        &self.description
    }

    pub fn team_id(&self) -> Option<&TeamId> {
        self.team_id.as_ref()
    }

    pub fn tags(&self) -> &BTreeSet<String> {
        &self.tags
    }

    pub fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    pub fn parameters(&self) -> &Value {
        &self.parameters
    }

    pub fn variables(&self) -> &BTreeMap<String, Value> {
        &self.variables
    }

    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub fn timeout_seconds(&self) -> u32 {
        self.timeout_seconds
    }

    pub fn concurrency(&self) -> &Concurrency {
        &self.concurrency
    }

    /// SHA-256, in hex, over the canonical JSON (RFC 8785).
    pub fn content_hash(&self) -> String {
        let canonical = serde_json_canonicalizer::to_vec(self).unwrap_or_else(|error| {
            // Maps have text keys and JSON has no infinite numbers, so every definition is JSON.
            unreachable!("a definition is always JSON: {error}")
        });
        let mut hash = String::with_capacity(64);
        for byte in Sha256::digest(canonical) {
            let nibble = |four: u8| char::from(b"0123456789abcdef"[usize::from(four)]);
            hash.extend([nibble(byte >> 4), nibble(byte & 0xf)]);
        }
        hash
    }

    /// Checks what an execution is given against the parameter schema, and fills in the defaults.
    pub fn check_parameters(&self, given: &Value) -> Result<Value, Vec<Fault>> {
        parameters::check_given(&self.parameters, given)
    }
}
