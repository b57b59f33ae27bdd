//! Runbooks: their rights, and the procedures that need facts from beyond one stream.

mod deprecate;
mod submission;

use domain::ids::{ActorId, TeamId};
use domain::runbook::{Command, Runbook};

use crate::Governed;
use crate::authorize::Action;

pub use deprecate::Deprecate;
pub(crate) use submission::submit;
pub use submission::{Revise, Submit};

impl Governed for Runbook {
    fn action(command: &Command) -> Action {
        match command {
            Command::Create { .. }
            | Command::Edit { .. }
            | Command::Submit { .. }
            | Command::WithdrawSubmission { .. }
            | Command::DiscardDraft { .. } => Action::DraftRunbook,
            // Whose time is over goes back to its authors, which judges nothing.
            Command::ExpireSubmission { .. } => Action::FireTimer,
            Command::CountVote { .. }
            | Command::Approve { .. }
            | Command::Reject { .. }
            | Command::Deprecate { .. } => Action::DecideRunbook,
        }
    }

    fn by(command: &Command) -> Option<&ActorId> {
        command.by()
    }

    fn teams<'a>(&'a self, command: &'a Command) -> Vec<Option<&'a TeamId>> {
        let draft = self.draft.as_ref().map(|draft| &draft.definition);
        let present = self.definition.as_ref().into_iter().chain(draft).map(|definition| definition.team_id());
        let wanted = match command {
            Command::Create { definition, .. } | Command::Edit { definition, .. } => Some(definition.team_id()),
            _ => None,
        };
        present.chain(wanted).collect()
    }
}
