//! A time during which somebody is signed in. Its secret and its last use are registers; that it began, and that somebody
//! ended it, are facts.

pub mod event;

use serde::{Deserialize, Serialize};

pub use event::{Ended, Event, Method};

use crate::ids::{self, ActorId, UserId};
use crate::{Aggregate, Refusal, text};

/// What may be asked of a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Begin { by: ActorId, user: UserId, method: Method },
    End { by: ActorId, why: Ended },
}

impl Command {
    pub fn by(&self) -> &ActorId {
        match self {
            Self::Begin { by, .. } | Self::End { by, .. } => by,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Session {
    /// Absent while the stream is empty.
    pub user: Option<UserId>,
    pub ended: bool,
}

impl Aggregate for Session {
    const TYPE: &'static str = "session";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let mut faults = Vec::new();
        ids::check(command.by(), "/by", &mut faults);
        text::refuse_if_any(faults)?;
        match command {
            Command::Begin { .. } if self.user.is_some() => {
                Err(Refusal::state("session_exists", "a session with this id has begun already"))
            }
            Command::Begin { by, user, method } => {
                Ok(vec![Event::Begun { by: by.clone(), user: user.clone(), method: method.clone() }])
            }
            Command::End { .. } if self.user.is_none() => {
                Err(Refusal::missing("session_missing", "there is no such session"))
            }
            Command::End { .. } if self.ended => Ok(vec![]),
            Command::End { by, why } => Ok(vec![Event::Ended { by: by.clone(), why: *why }]),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Begun { user, .. } => self.user = Some(user.clone()),
            Event::Ended { .. } => self.ended = true,
        }
    }
}
