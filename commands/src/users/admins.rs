//! Changes to an account that may make a platform admin of somebody, or of an admin nobody: told to the platform in the
//! same append, so that it always has one.

use domain::ids::ActorId;
use domain::platform::{self, AdminKind, Platform};
use domain::team::Team;
use domain::user::{Command, User};
use domain::{Aggregate, Fault, Refusal};
use storage::StreamId;

use crate::{CommandError, Procedure, Unit};

/// One command to one account, and what follows from it for the platform.
#[derive(Debug, Clone)]
pub struct Change {
    pub user: String,
    pub command: Command,
}

impl Procedure for Change {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        // First, because If-Match is about the account.
        unit.read::<User>(&self.user).await?;
        if let Command::GrantRole { grant, .. } = &self.command
            && let Some(team) = &grant.team
            && !unit.read::<Team>(team.as_str()).await?.is_open()
        {
            return Err(Refusal::Invalid(vec![Fault::new("/team_id", "must be a team that is not archived")]).into());
        }
        unit.decide::<User>(&self.user, &self.command).await?;
        keep_in_step(unit, self.command.by(), &self.user).await
    }

    fn contended(&self) -> Option<StreamId> {
        Some(StreamId::new(User::TYPE, &*self.user))
    }
}

/// Tells the platform what its admins are after a change to `user`.
pub(super) async fn keep_in_step(unit: &mut Unit<'_>, by: &ActorId, user: &str) -> Result<(), CommandError> {
    let account = unit.read::<User>(user).await?;
    let is_admin = account.is_active() && account.is_platform_admin();
    let admin = ActorId::new(user);
    let was_admin = unit.read::<Platform>(platform::ID).await?.admins.contains_key(&admin);
    let by = by.clone();
    let command = match (was_admin, is_admin) {
        (false, true) => platform::Command::AddAdmin { by, admin, kind: AdminKind::User },
        (true, false) => platform::Command::RemoveAdmin { by, admin },
        _ => return Ok(()),
    };
    unit.decide::<Platform>(platform::ID, &command).await.map(|_| ())
}
