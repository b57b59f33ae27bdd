//! Taking the current version out of use. Whether somebody else could do so is a fact of another place.

use domain::Aggregate;
use domain::ids::ActorId;
use domain::runbook::{Command, Runbook};
use storage::StreamId;

use super::submission;
use crate::{CommandError, Procedure, Unit, tokens};

#[derive(Debug, Clone)]
pub struct Deprecate {
    pub runbook_id: String,
    pub by: ActorId,
    pub reason: Option<String>,
}

impl Procedure for Deprecate {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let another_platform_admin = tokens::another_platform_admin(unit.store(), &self.by).await?;
        let (by, reason) = (self.by.clone(), self.reason.clone());
        let command = Command::Deprecate { by, another_platform_admin, reason };
        submission::decide(unit, &self.runbook_id, &command).await
    }

    fn contended(&self) -> Option<StreamId> {
        Some(StreamId::new(Runbook::TYPE, &*self.runbook_id))
    }
}
