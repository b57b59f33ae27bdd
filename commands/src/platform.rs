//! The platform: its stream is written by the procedures that change its admins, and read where another one counts.

use domain::ids::{ActorId, TeamId};
use domain::platform::{Command, ID, Platform};
use jiff::Timestamp;

use crate::authorize::Action;
use crate::{Bus, CommandError, Governed, Unit};

impl Governed for Platform {
    fn action(command: &Command) -> Action {
        match command {
            Command::SetUp { .. } => Action::ManageOneself,
            Command::AddAdmin { .. } | Command::RemoveAdmin { .. } => Action::ManagePeople,
        }
    }

    fn by(command: &Command) -> Option<&ActorId> {
        Some(command.by())
    }

    fn teams<'a>(&'a self, _: &'a Command) -> Vec<Option<&'a TeamId>> {
        vec![None]
    }
}

/// Whether somebody else could do what takes a platform admin. Guarded: should that change before the append, the
/// procedure runs again.
pub async fn has_another_admin(unit: &mut Unit<'_>, than: &ActorId, at: Timestamp) -> Result<bool, CommandError> {
    Ok(unit.read::<Platform>(ID).await?.has_another_admin(than, at))
}

/// The same for whoever only wants to know.
pub async fn knows_another_admin(bus: &Bus, than: &ActorId, at: Timestamp) -> Result<bool, CommandError> {
    Ok(bus.look::<Platform>(ID).await?.is_some_and(|(platform, ..)| platform.has_another_admin(than, at)))
}

/// Whether somebody looks after it already.
pub async fn is_set_up(bus: &Bus) -> Result<bool, CommandError> {
    // Whoever was made on the command line needs no code, and nobody else is to have one.
    let known = |platform: &Platform| platform.is_set_up || platform.people().next().is_some();
    Ok(bus.look::<Platform>(ID).await?.is_some_and(|(platform, ..)| known(&platform)))
}
