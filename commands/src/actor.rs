//! Who asks: a person, a token, a partner, a reaction or the system itself, and what rights he was given.

use std::fmt;
use std::str::FromStr;

use domain::ids::{ActorId, TeamId};
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    PlatformAdmin,
    TeamManager,
    Responder,
    Auditor,
    Viewer,
    Partner,
}

impl Role {
    pub const ALL: [Self; 6] =
        [Self::PlatformAdmin, Self::TeamManager, Self::Responder, Self::Auditor, Self::Viewer, Self::Partner];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlatformAdmin => "platform_admin",
            Self::TeamManager => "team_manager",
            Self::Responder => "responder",
            Self::Auditor => "auditor",
            Self::Viewer => "viewer",
            Self::Partner => "partner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|role| role.as_str()).collect();
            format!("there is no role '{text}'; there are {}", known.join(", "))
        })
    }
}

/// A role, in one team or (null) everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub role: Role,
    pub team: Option<TeamId>,
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
