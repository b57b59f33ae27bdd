//! Teams: their rights.

use domain::ids::{ActorId, TeamId};
use domain::team::{Command, Team};

use crate::Governed;
use crate::authorize::Action;

impl Governed for Team {
    fn action(_: &Command) -> Action {
        Action::ManageTeams
    }

    fn by(command: &Command) -> Option<&ActorId> {
        Some(command.by())
    }

    fn teams<'a>(&'a self, command: &'a Command) -> Vec<Option<&'a TeamId>> {
        match command {
            // Not yet anybody's.
            Command::Create { .. } => vec![None],
            _ => vec![self.id.as_ref()],
        }
    }
}
