//! Taking the current version out of use. Whether somebody else could do so is a fact of another place.

use domain::Aggregate;
use domain::ids::ActorId;
use domain::runbook::{Command, Runbook};
use jiff::Timestamp;
use storage::StreamId;

use super::submission;
use crate::{CommandError, Procedure, Unit, platform};

#[derive(Debug, Clone)]
pub struct Deprecate {
    pub runbook_id: String,
    pub by: ActorId,
    pub reason: Option<String>,
    pub at: Timestamp,
}

impl Procedure for Deprecate {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        // First, because If-Match is about the runbook.
        unit.read::<Runbook>(&self.runbook_id).await?;
        let another_platform_admin = platform::has_another_admin(unit, &self.by, self.at).await?;
        let (by, reason) = (self.by.clone(), self.reason.clone());
        let command = Command::Deprecate { by, another_platform_admin, reason };
        submission::decide(unit, &self.runbook_id, &command).await
    }

    fn contended(&self) -> Option<StreamId> {
        Some(StreamId::new(Runbook::TYPE, &*self.runbook_id))
    }
}
