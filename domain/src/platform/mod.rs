//! The platform itself, one stream: whether it was set up, and who looks after it. Whoever must know whether there is
//! another platform admin reads it here, guarded by an expectation, so that two who leave at once cannot both be right.

mod decide;
pub mod event;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use event::Event;

use crate::ids::ActorId;
use crate::{Aggregate, Refusal};

/// The id of the one stream.
pub const ID: &str = "platform";

/// What may be asked of the platform.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Once, by the first platform admin.
    SetUp {
        by: ActorId,
    },
    AddAdmin {
        by: ActorId,
        admin: ActorId,
        kind: AdminKind,
    },
    /// Refused where nobody would remain who can sign in and do it.
    RemoveAdmin {
        by: ActorId,
        admin: ActorId,
    },
}

impl Command {
    pub fn by(&self) -> &ActorId {
        match self {
            Self::SetUp { by } | Self::AddAdmin { by, .. } | Self::RemoveAdmin { by, .. } => by,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AdminKind {
    User,
    /// A token that is nobody's.
    Service {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Platform {
    pub is_set_up: bool,
    pub admins: BTreeMap<ActorId, AdminKind>,
}

impl Platform {
    /// Whether somebody else could do what takes a platform admin, at that moment.
    pub fn has_another_admin(&self, than: &ActorId, at: Timestamp) -> bool {
        self.admins.iter().any(|(admin, kind)| admin != than && kind.lasts(at))
    }

    /// People who look after it.
    pub fn people(&self) -> impl Iterator<Item = &ActorId> {
        self.admins.iter().filter(|(_, kind)| **kind == AdminKind::User).map(|(admin, _)| admin)
    }
}

impl AdminKind {
    fn lasts(self, at: Timestamp) -> bool {
        match self {
            Self::User => true,
            Self::Service { until } => until.is_none_or(|end| at < end),
        }
    }
}

impl Aggregate for Platform {
    const TYPE: &'static str = "platform";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        self.decide_on(command)
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::SetUp { .. } => self.is_set_up = true,
            Event::AdminAdded { admin, kind, .. } => drop(self.admins.insert(admin.clone(), *kind)),
            Event::AdminRemoved { admin, .. } => drop(self.admins.remove(admin)),
        }
    }
}
