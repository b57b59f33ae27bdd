//! Who asks: a person, a token, a partner, a reaction or the system itself, and what rights he was given.

use domain::ids::ActorId;
use domain::roles::{Grant, Role};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    User,
    ApiToken,
    Partner,
    Reaction,
    System,
}

impl ActorKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ApiToken => "api_token",
            Self::Partner => "partner",
            Self::Reaction => "reaction",
            Self::System => "system",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    /// Opaque: no name and no address.
    pub id: ActorId,
    pub grants: Vec<Grant>,
}

impl Actor {
    /// An actor with one role everywhere.
    pub fn everywhere(kind: ActorKind, id: impl Into<String>, role: Role) -> Self {
        Self { kind, id: ActorId::new(id), grants: vec![Grant { role, team: None }] }
    }

    /// What happens by itself, and answers to nobody's role.
    pub fn system(kind: ActorKind, id: impl Into<String>) -> Self {
        Self { kind, id: ActorId::new(id), grants: Vec::new() }
    }
}
