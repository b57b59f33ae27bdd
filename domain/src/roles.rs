//! The rights that people are given by name. What each role may do stands in one table, in the room of commands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::TeamId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    pub role: Role,
    pub team: Option<TeamId>,
}
