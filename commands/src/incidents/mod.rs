//! Incidents: their rights, and the procedures over two of them.

mod merge;

use domain::ids::{ActorId, TeamId};
use domain::incident::{Command, Incident};

use crate::Governed;
use crate::authorize::Action;

pub use merge::{Merge, Unmerge};

impl Governed for Incident {
    fn action(command: &Command) -> Action {
        match command {
            Command::TimeOutAcknowledgement { .. } | Command::Wake { .. } => Action::FireTimer,
            _ => Action::HandleIncident,
        }
    }

    fn by(command: &Command) -> Option<&ActorId> {
        command.by()
    }

    fn teams<'a>(&'a self, command: &'a Command) -> Vec<Option<&'a TeamId>> {
        let wanted = match command {
            Command::Declare(declare) => Some(declare.team_id.as_ref()),
            Command::Edit { changes, .. } => changes.team_id.as_ref().map(Option::as_ref),
            _ => None,
        };
        let present = (*self != Self::default()).then_some(self.team_id.as_ref());
        present.into_iter().chain(wanted).collect()
    }
}
