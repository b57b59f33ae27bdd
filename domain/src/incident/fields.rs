//! What an incident is described by: severity, roles, links, where it came from.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::UserId;

/// How bad it is; sev1 is worst. The names that other tools use are read as aliases and never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    #[serde(alias = "critical")]
    Sev1,
    #[serde(alias = "error")]
    Sev2,
    #[default]
    #[serde(alias = "warning")]
    Sev3,
    #[serde(alias = "info")]
    Sev4,
    #[serde(alias = "none")]
    Sev5,
}

impl Severity {
    pub const ALL: [Self; 5] = [Self::Sev1, Self::Sev2, Self::Sev3, Self::Sev4, Self::Sev5];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sev1 => "sev1",
            Self::Sev2 => "sev2",
            Self::Sev3 => "sev3",
            Self::Sev4 => "sev4",
            Self::Sev5 => "sev5",
        }
    }
}

/// What was given is neither a severity nor another tool's name for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of sev1, sev2, sev3, sev4, sev5 (or critical, error, warning, info, none)")]
pub struct UnknownSeverity;

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(name: &str) -> Result<Self, UnknownSeverity> {
        match name.to_ascii_lowercase().as_str() {
            "sev1" | "critical" => Ok(Self::Sev1),
            "sev2" | "error" => Ok(Self::Sev2),
            "sev3" | "warning" => Ok(Self::Sev3),
            "sev4" | "info" => Ok(Self::Sev4),
            "sev5" | "none" => Ok(Self::Sev5),
            _ => Err(UnknownSeverity),
        }
    }
}

/// What a responder does in this incident. Stored as one word or phrase; what is not one of ours is a custom role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ResponderRole {
    /// Leads. There is one at a time: a new commander relieves the old one.
    Commander,
    Communications,
    Scribe,
    /// Helps, without a special task.
    Responder,
    Custom(String),
}

impl From<String> for ResponderRole {
    fn from(name: String) -> Self {
        match name.as_str() {
            "commander" => Self::Commander,
            "communications" => Self::Communications,
            "scribe" => Self::Scribe,
            "responder" => Self::Responder,
            _ => Self::Custom(name),
        }
    }
}

impl From<ResponderRole> for String {
    fn from(role: ResponderRole) -> Self {
        match role {
            ResponderRole::Commander => "commander".to_owned(),
            ResponderRole::Communications => "communications".to_owned(),
            ResponderRole::Scribe => "scribe".to_owned(),
            ResponderRole::Responder => "responder".to_owned(),
            ResponderRole::Custom(name) => name,
        }
    }
}

/// One person in one role. The same person may hold several roles.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Responder {
    pub user: UserId,
    pub role: ResponderRole,
}

/// A place to look at: a dashboard, a ticket, a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// What brought the incident into being: `manual`, `alert`, `heartbeat`, `api`…, and which one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl Default for Source {
    fn default() -> Self {
        Self { kind: "manual".to_owned(), reference: None }
    }
}

pub type Labels = BTreeMap<String, String>;
pub type CustomFields = BTreeMap<String, Value>;
