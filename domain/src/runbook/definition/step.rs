//! The steps of a runbook: what all have in common.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::action::Action;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A condition (CEL). Where it is false the step is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    #[serde(default, skip_serializing_if = "OnFailure::is_abort")]
    pub on_failure: OnFailure,
    /// Undoes this step on a rollback; registered before this step runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensate: Option<Box<Step>>,
    /// Names for parts of the result, each a JSON Pointer into it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
    pub effect: Effect,
    #[serde(flatten)]
    pub action: Action,
}

/// Delays are seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// The first attempt counts.
    pub max_attempts: u32,
    pub initial_delay: u32,
    pub multiplier: f64,
    pub max_delay: u32,
    pub on: BTreeSet<ErrorClass>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// Nothing was sent.
    Connection,
    /// Something was sent, and no answer came.
    Timeout,
    RateLimited,
    ServerError,
    ExitCode,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum OnFailure {
    #[default]
    Abort,
    Continue,
    /// Goes on with a later step of the same list.
    Step(String),
}

impl OnFailure {
    pub(super) fn is_abort(&self) -> bool {
        *self == Self::Abort
    }
}

impl From<String> for OnFailure {
    fn from(text: String) -> Self {
        match text.as_str() {
            "abort" => Self::Abort,
            "continue" => Self::Continue,
            other => Self::Step(other.strip_prefix("step:").unwrap_or(other).to_owned()),
        }
    }
}

impl From<OnFailure> for String {
    fn from(on_failure: OnFailure) -> Self {
        match on_failure {
            OnFailure::Abort => "abort".to_owned(),
            OnFailure::Continue => "continue".to_owned(),
            OnFailure::Step(id) => format!("step:{id}"),
        }
    }
}

/// What it means when nobody knows whether the step has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing outside.
    Pure,
    /// Doing it twice is doing it once.
    Idempotent,
    /// Never repeated blindly: a person decides.
    Unsafe,
}
