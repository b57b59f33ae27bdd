//! People's accounts: their rights, and the procedures that keep the platform's admins in step with them.

mod addresses;
mod admins;
mod delegate;
mod enrol;
mod erase;
mod profile;

use domain::ids::{ActorId, TeamId};
use domain::roles::Role;
use domain::user::{Command, User};

use crate::Governed;
use crate::authorize::Action;

pub use addresses::{Address, NoAddress, Reserved, release, reserve, user_of};
pub use admins::Change;
pub use delegate::Delegate;
pub use enrol::{Enrolled, Newcomer, Welcome, enrol};
pub use erase::{erase, forget};
pub use profile::edit_profile;

impl Governed for User {
    fn action(command: &Command) -> Action {
        match command {
            Command::GrantRole { .. } | Command::RevokeRole { .. } => Action::ManageRoles,
            _ => Action::ManagePeople,
        }
    }

    fn action_here(&self, command: &Command) -> Action {
        let own = self.id.as_ref().is_some_and(|id| id.as_str() == command.by().as_str());
        match command {
            // Held everywhere, they are not any team's to give.
            Command::GrantRole { grant, .. } | Command::RevokeRole { grant, .. }
                if matches!(grant.role, Role::PlatformAdmin | Role::Auditor) =>
            {
                Action::ManagePeople
            }
            Command::ChangeProfile { .. }
            | Command::SetPassword { .. }
            | Command::LinkProvider { .. }
            | Command::UnlinkProvider { .. }
            | Command::Delegate { .. }
            | Command::EndDelegation { .. }
                if own =>
            {
                Action::ManageOneself
            }
            _ => Self::action(command),
        }
    }

    fn by(command: &Command) -> Option<&ActorId> {
        Some(command.by())
    }

    fn teams<'a>(&'a self, command: &'a Command) -> Vec<Option<&'a TeamId>> {
        match command {
            Command::GrantRole { grant, .. } | Command::RevokeRole { grant, .. } => vec![grant.team.as_ref()],
            _ => vec![None],
        }
    }
}
