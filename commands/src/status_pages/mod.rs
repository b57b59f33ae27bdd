//! Status pages: their rights, and the procedures that need facts from beyond one page.

mod components;
mod follow_incidents;
mod naming;

use domain::ids::{ActorId, TeamId};
use domain::status_page::{Command, StatusPage};
use domain::status_page_slug::{self, StatusPageSlug};

use crate::Governed;
use crate::authorize::Action;

pub use components::require_scope;
pub use follow_incidents::{FollowIncidents, reach_of};
pub use naming::{ArchivePage, CreatePage, EditPage};

impl Governed for StatusPage {
    fn action(command: &Command) -> Action {
        match command {
            Command::Create(_)
            | Command::Edit { .. }
            | Command::AddComponent(_)
            | Command::EditComponent { .. }
            | Command::MoveComponent { .. }
            | Command::RemoveComponent { .. }
            | Command::Archive { .. } => Action::ManageStatusPages,
            Command::SetStatus { .. } | Command::ReleaseStatus { .. } => Action::PublishStatus,
            Command::NoteIncident { .. } | Command::ClearIncident { .. } => Action::FollowIncidents,
        }
    }

    fn by(command: &Command) -> Option<&ActorId> {
        command.by()
    }

    fn teams<'a>(&'a self, command: &'a Command) -> Vec<Option<&'a TeamId>> {
        let wanted = match command {
            Command::Create(create) => Some(create.team_id.as_ref()),
            Command::Edit { changes, .. } => changes.team_id.as_ref().map(Option::as_ref),
            _ => None,
        };
        let present = self.created_by.is_some().then_some(self.team_id.as_ref());
        present.into_iter().chain(wanted).collect()
    }
}

/// Slugs go with their pages: nobody asks for one alone.
impl Governed for StatusPageSlug {
    fn action(_: &status_page_slug::Command) -> Action {
        Action::ManageStatusPages
    }

    fn by(_: &status_page_slug::Command) -> Option<&ActorId> {
        None
    }

    fn teams<'a>(&'a self, _: &'a status_page_slug::Command) -> Vec<Option<&'a TeamId>> {
        Vec::new()
    }
}
