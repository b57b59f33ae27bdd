//! A team: what resources belong to, and where most roles are held. Who is in it follows from the roles of its people.

mod decide;
pub mod event;

use serde::{Deserialize, Serialize};

pub use event::Event;

use crate::ids::{ActorId, TeamId};
use crate::{Aggregate, Refusal};

/// What may be asked of a team.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Create {
        by: ActorId,
        team: TeamId,
        name: String,
        description: String,
    },
    /// What is absent stays.
    Edit {
        by: ActorId,
        name: Option<String>,
        description: Option<String>,
    },
    /// What belongs to it stays its own, and nothing new may be given to it.
    Archive {
        by: ActorId,
    },
    Restore {
        by: ActorId,
    },
}

impl Command {
    pub fn by(&self) -> &ActorId {
        match self {
            Self::Create { by, .. } | Self::Edit { by, .. } | Self::Archive { by } | Self::Restore { by } => by,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Team {
    /// Absent while the stream is empty.
    pub id: Option<TeamId>,
    pub name: String,
    pub description: String,
    pub archived: bool,
}

impl Team {
    /// Whether something may be given to it.
    pub fn is_open(&self) -> bool {
        self.id.is_some() && !self.archived
    }
}

impl Aggregate for Team {
    const TYPE: &'static str = "team";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        self.decide_on(command)
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Created { team, name, description, .. } => {
                self.id = Some(team.clone());
                self.name.clone_from(name);
                self.description.clone_from(description);
            }
            Event::Edited { name, description, .. } => {
                self.name = name.clone().unwrap_or_else(|| std::mem::take(&mut self.name));
                self.description = description.clone().unwrap_or_else(|| std::mem::take(&mut self.description));
            }
            Event::Archived { .. } => self.archived = true,
            Event::Restored { .. } => self.archived = false,
        }
    }
}
