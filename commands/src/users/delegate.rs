//! Naming a stand-in, who must be there to stand in.

use domain::ids::{ActorId, UserId};
use domain::user::{Command, User};
use jiff::Timestamp;

use crate::{CommandError, Procedure, Unit};

#[derive(Debug, Clone)]
pub struct Delegate {
    pub by: ActorId,
    pub user: String,
    pub to: UserId,
    pub from: Timestamp,
    pub until: Timestamp,
    pub at: Timestamp,
}

impl Procedure for Delegate {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.read::<User>(&self.user).await?;
        let active = unit.read::<User>(self.to.as_str()).await?.is_active();
        let Self { by, user, to, from, until, at } = self.clone();
        let command = Command::Delegate { by, to, active, from, until, at };
        unit.decide::<User>(&user, &command).await.map(|_| ())
    }
}
