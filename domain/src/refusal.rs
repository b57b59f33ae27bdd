//! Why a command was not carried out, in words for the one who asked.

use serde::{Deserialize, Serialize};

/// One thing that is wrong with what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// A JSON Pointer (RFC 6901) into what was sent.
    pub pointer: String,
    pub message: String,
}

impl Fault {
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// A decision's "no". `code` is stable and for programs, `detail` is for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// What was sent cannot be right in any state. Every fault is listed.
    #[error("{} fault(s) in what was sent: {}", .0.len(), .0.iter().map(|f| format!("{} {}", f.pointer, f.message)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Fault>),
    /// There is no such aggregate (or no such part of it).
    #[error("{detail}")]
    Missing { code: &'static str, detail: String },
    /// The state forbids it now.
    #[error("{detail}")]
    State { code: &'static str, detail: String },
    /// This person may not do it here, whatever his role (four eyes).
    #[error("{detail}")]
    Forbidden { code: &'static str, detail: String },
}

impl Refusal {
    pub fn missing(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Missing { code, detail: detail.into() }
    }

    pub fn state(code: &'static str, detail: impl Into<String>) -> Self {
        Self::State { code, detail: detail.into() }
    }

    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Forbidden { code, detail: detail.into() }
    }

    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Missing { code, .. } | Self::State { code, .. } | Self::Forbidden { code, .. } => code,
        }
    }
}
