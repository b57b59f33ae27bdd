//! Partner grants: their rights, and the procedures that check that what they name is there.

use domain::ids::{ActorId, TeamId};
use domain::partner_access::{self, PartnerAccess};
use domain::partner_grant::{Command, Grant, PartnerGrant, Scope};

use crate::authorize::Action;
use crate::status_pages::require_scope;
use crate::{CommandError, Governed, Procedure, Unit};

impl Governed for PartnerGrant {
    fn action(command: &Command) -> Action {
        match command {
            Command::Activate { .. } | Command::Expire { .. } => Action::FireTimer,
            _ => Action::ManagePartnerGrants,
        }
    }

    fn by(command: &Command) -> Option<&ActorId> {
        command.by()
    }

    /// Grants are the house's, no team's.
    fn teams<'a>(&'a self, _: &'a Command) -> Vec<Option<&'a TeamId>> {
        Vec::new()
    }
}

impl Governed for PartnerAccess {
    fn action(_: &partner_access::Command) -> Action {
        Action::RecordAccesses
    }

    fn by(_: &partner_access::Command) -> Option<&ActorId> {
        None
    }

    fn teams<'a>(&'a self, _: &'a partner_access::Command) -> Vec<Option<&'a TeamId>> {
        Vec::new()
    }
}

#[derive(Debug, Clone)]
pub struct GrantAccess {
    pub id: String,
    pub grant: Grant,
}

impl Procedure for GrantAccess {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.suppose_new::<PartnerGrant>(&self.id);
        // First, because it says who may ask.
        unit.decide::<PartnerGrant>(&self.id, &Command::Grant(Box::new(self.grant.clone()))).await?;
        require_scope(unit, &self.grant.scope).await
    }
}

#[derive(Debug, Clone)]
pub struct ChangeScope {
    pub by: ActorId,
    pub id: String,
    pub scope: Scope,
    pub reason: String,
}

impl Procedure for ChangeScope {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let (by, scope, reason) = (self.by.clone(), self.scope.clone(), self.reason.clone());
        if unit.decide::<PartnerGrant>(&self.id, &Command::ChangeScope { by, scope, reason }).await? == 0 {
            return Ok(());
        }
        require_scope(unit, &self.scope).await
    }
}
