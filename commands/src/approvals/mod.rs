//! Approvals: their rights, and the procedures that carry out what they decide.

mod bulk;
mod expire;
mod vote;

use domain::approval::{Approval, Command};
use domain::ids::{ActorId, TeamId};

use crate::Governed;
use crate::authorize::Action;

pub use bulk::{DECISIONS, Decision, decide_each};
pub use expire::ExpireApproval;
pub use vote::{Ballot, CastVote, voter};

impl Governed for Approval {
    fn action(command: &Command) -> Action {
        match command {
            // Whoever may submit a draft may ask for its approval, and take it back.
            Command::Open { .. } | Command::Withdraw { .. } => Action::DraftRunbook,
            Command::Vote(_) => Action::VoteOnApprovals,
            Command::Expire { .. } => Action::FireTimer,
        }
    }

    fn by(command: &Command) -> Option<&ActorId> {
        command.by()
    }

    fn teams<'a>(&'a self, command: &'a Command) -> Vec<Option<&'a TeamId>> {
        let wanted = match command {
            Command::Open { terms, .. } => Some(terms.subject.team_id.as_ref()),
            _ => None,
        };
        let present = self.terms.as_ref().map(|terms| terms.subject.team_id.as_ref());
        present.into_iter().chain(wanted).collect()
    }
}
