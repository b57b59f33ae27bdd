//! The rights that people are given by name. What each role may do stands in one table, in the room of commands.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Fault;
use crate::ids::{self, TeamId};

/// Roles that one person or token may hold, each in one team or everywhere.
pub const GRANTS: usize = 200;

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
    #[serde(rename = "team_id", default)]
    pub team: Option<TeamId>,
}

/// Whether whoever holds `held` may hand out `grant`, to a token that acts for him. The highest role contains all.
pub fn covers(held: &BTreeSet<Grant>, grant: &Grant) -> bool {
    held.iter().any(|own| {
        let everywhere = own.team.is_none();
        (own.role == Role::PlatformAdmin && everywhere)
            || (own.role == grant.role && (everywhere || own.team == grant.team))
    })
}

pub(crate) fn check_all(grants: &BTreeSet<Grant>, faults: &mut Vec<Fault>) {
    if grants.len() > GRANTS {
        faults.push(Fault::new("/roles", format!("must name at most {GRANTS}")));
    }
    for (index, grant) in grants.iter().enumerate() {
        check(grant, &format!("/roles/{index}"), faults);
    }
}

/// A partner is a principal of his own kind, never a user; and what reaches everywhere is not held in a team.
pub(crate) fn check(grant: &Grant, at: &str, faults: &mut Vec<Fault>) {
    if grant.role == Role::Partner {
        faults.push(Fault::new(format!("{at}/role"), "partners are granted pages, they hold no role"));
    }
    let Some(team) = &grant.team else { return };
    ids::check(team, &format!("{at}/team_id"), faults);
    if matches!(grant.role, Role::PlatformAdmin | Role::Auditor) {
        let message = format!("must be absent: {} is held everywhere or not at all", grant.role);
        faults.push(Fault::new(format!("{at}/team_id"), message));
    }
}
