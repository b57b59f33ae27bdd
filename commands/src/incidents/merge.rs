//! Merging an incident into another, and undoing it: both streams in one append.

use domain::Refusal;
use domain::ids::{ActorId, IncidentId};
use domain::incident::{Command, Incident, Status};

use crate::{CommandError, Procedure, Unit};

#[derive(Debug, Clone)]
pub struct Merge {
    pub by: ActorId,
    pub incident: IncidentId,
    pub into: IncidentId,
}

impl Procedure for Merge {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let (this, into) = (self.incident.as_str(), self.into.as_str());
        // First, because If-Match is about the incident that is merged.
        unit.read::<Incident>(this).await?;
        let into_merged = match unit.read::<Incident>(into).await?.status {
            Status::Undeclared => {
                return Err(Refusal::missing("incident_missing", format!("there is no incident {into}")).into());
            }
            status => status == Status::Merged,
        };
        let merge = Command::MergeInto {
            by: self.by.clone(),
            this: self.incident.clone(),
            into: self.into.clone(),
            into_merged,
        };
        unit.decide::<Incident>(this, &merge).await?;
        let absorb = Command::Absorb { by: self.by.clone(), this: self.into.clone(), incident: self.incident.clone() };
        unit.decide::<Incident>(into, &absorb).await.map(|_| ())
    }
}

#[derive(Debug, Clone)]
pub struct Unmerge {
    pub by: ActorId,
    pub incident: IncidentId,
}

impl Procedure for Unmerge {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let this = self.incident.as_str();
        let from = unit.read::<Incident>(this).await?.merged_into.clone();
        unit.decide::<Incident>(this, &Command::Unmerge { by: self.by.clone() }).await?;
        if let Some(from) = from {
            let release = Command::Release { by: self.by.clone(), incident: self.incident.clone() };
            unit.decide::<Incident>(from.as_str(), &release).await?;
        }
        Ok(())
    }
}
