//! Brings pages up to date with incidents: from what both are now, never from what somebody has heard of them. Run
//! twice, it changes nothing the second time.

use std::collections::BTreeSet;

use domain::ids::{IncidentId, ServiceId, StatusPageId};
use domain::incident::{Incident, Severity, Status};
use domain::status_page::{Command, StatusPage};

use crate::unit::Reading;
use crate::{Bus, CommandError, Procedure, Request, Unit};

/// Incidents that one stands for: itself, what was merged into it, what was merged into that…
const MERGED: usize = 100;

/// Every one of these incidents, on every one of these pages.
#[derive(Debug, Clone, Default)]
pub struct FollowIncidents {
    pub incidents: BTreeSet<IncidentId>,
    pub pages: BTreeSet<StatusPageId>,
}

impl Procedure for FollowIncidents {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let mut all = BTreeSet::new();
        for incident in &self.incidents {
            all.insert(incident.clone());
            // One that was merged is over for itself; it goes on in another one.
            all.insert(root(unit, incident).await?);
        }
        for incident in all {
            let command = present(unit, &incident).await?;
            for page in &self.pages {
                match unit.decide::<StatusPage>(page.as_str(), &command).await {
                    // A page that is full must not keep the others from showing what has happened.
                    Err(CommandError::Refused(refusal)) if refusal.code() == "too_many_incidents" => {
                        tracing::error!(%page, %incident, "a status page shows no more incidents: {refusal}");
                    }
                    decided => drop(decided?),
                }
            }
        }
        Ok(())
    }
}

/// What there is to tell of an incident now.
async fn present(unit: &mut Unit<'_>, id: &IncidentId) -> Result<Command, CommandError> {
    let incident = unit.read::<Incident>(id.as_str()).await?;
    match incident.status {
        Status::Open | Status::Acknowledged => {
            let severity: Severity = incident.severity;
            let service_ids = services(unit, id).await?;
            Ok(Command::NoteIncident { incident: id.clone(), severity, service_ids })
        }
        Status::Undeclared | Status::Resolved | Status::Merged => Ok(Command::ClearIncident { incident: id.clone() }),
    }
}

/// The incident that an incident was merged into in the end; itself, if it was not.
async fn root(unit: &mut Unit<'_>, id: &IncidentId) -> Result<IncidentId, CommandError> {
    let mut root = id.clone();
    for _ in 0..MERGED {
        match &unit.read::<Incident>(root.as_str()).await?.merged_into {
            Some(into) => root = into.clone(),
            None => break,
        }
    }
    Ok(root)
}

/// The services of an incident and of all that was merged into it.
async fn services(unit: &mut Unit<'_>, id: &IncidentId) -> Result<BTreeSet<ServiceId>, CommandError> {
    let mut services = BTreeSet::new();
    let (mut known, mut wave) = (BTreeSet::from([id.clone()]), vec![id.clone()]);
    while let Some(next) = wave.pop() {
        let incident = unit.read::<Incident>(next.as_str()).await?;
        let room = domain::status_page::limits::INCIDENT_SERVICES.saturating_sub(services.len());
        services.extend(incident.service_ids.iter().take(room).cloned());
        for absorbed in incident.absorbed.clone() {
            if known.len() < MERGED && known.insert(absorbed.clone()) {
                wave.push(absorbed);
            }
        }
    }
    Ok(services)
}

/// The incident that `id` goes on in, and the services that it is about with all that was merged into it: to find the
/// pages that it may touch.
pub async fn reach_of(
    bus: &Bus,
    request: &Request,
    id: &IncidentId,
) -> Result<(IncidentId, BTreeSet<ServiceId>), CommandError> {
    let mut unit = Unit::new(bus, request, Reading::Fresh);
    let root = root(&mut unit, id).await?;
    let services = services(&mut unit, &root).await?;
    Ok((root, services))
}
