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
    /// By what he proved who he is.
    pub credential: Option<Credential>,
}

/// What a principal came in with. Its id stands in the metadata of all that he does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    Token(String),
    Session(String),
}

impl Actor {
    /// A person, with what he may do.
    pub fn user(id: impl Into<String>, grants: impl IntoIterator<Item = Grant>) -> Self {
        Self { kind: ActorKind::User, id: ActorId::new(id), grants: grants.into_iter().collect(), credential: None }
    }

    /// An actor with one role everywhere.
    pub fn everywhere(kind: ActorKind, id: impl Into<String>, role: Role) -> Self {
        Self { kind, id: ActorId::new(id), grants: vec![Grant { role, team: None }], credential: None }
    }

    /// What happens by itself, and answers to nobody's role.
    pub fn system(kind: ActorKind, id: impl Into<String>) -> Self {
        Self { kind, id: ActorId::new(id), grants: Vec::new(), credential: None }
    }
}
