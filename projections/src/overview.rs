//! What a dashboard shows at a glance: exact numbers, kept beside the views in the transactions that move them.

use std::collections::BTreeMap;

use domain::approval::Status;
use serde::{Deserialize, Serialize};

use crate::approvals::ApprovalDetail;
use crate::incidents::IncidentDetail;
use crate::runbooks::{DISCARDED, RunbookDetail};
use crate::{ReadError, Views};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Overview {
    pub incidents: Incidents,
    pub runbooks: Runbooks,
    pub approvals: Approvals,
    /// Everything up to here is counted.
    pub position: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Incidents {
    /// `open`, `acknowledged`, `resolved`, `merged`.
    pub by_status: BTreeMap<String, i64>,
    /// Of those that are open or acknowledged.
    pub active_by_severity: BTreeMap<String, i64>,
    /// Of those too, where they belong to a team.
    pub active_by_team: BTreeMap<String, i64>,
    pub snoozed: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Runbooks {
    /// `draft`, `approved`, `deprecated`.
    pub by_status: BTreeMap<String, i64>,
    /// Drafts being written, and drafts that wait for a decision: `editing`, `pending`.
    pub drafts: BTreeMap<String, i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Approvals {
    pub pending: i64,
}

pub async fn read(views: &Views) -> Result<Overview, ReadError> {
    let (incidents, incidents_at) = views.counts::<IncidentDetail>().await?;
    let (runbooks, runbooks_at) = views.counts::<RunbookDetail>().await?;
    let (approvals, approvals_at) = views.counts::<ApprovalDetail>().await?;
    let pending = group(&approvals, "status").remove(Status::Pending.as_str()).unwrap_or_default();
    let mut by_status = group(&runbooks, "status");
    by_status.remove(DISCARDED);
    Ok(Overview {
        incidents: Incidents {
            by_status: group(&incidents, "status"),
            active_by_severity: group(&incidents, "active_severity"),
            active_by_team: group(&incidents, "active_team"),
            snoozed: group(&incidents, "snoozed").into_values().sum(),
        },
        runbooks: Runbooks { by_status, drafts: group(&runbooks, "draft") },
        approvals: Approvals { pending },
        position: incidents_at.min(runbooks_at).min(approvals_at),
    })
}

fn group(counts: &[(String, String, i64)], name: &str) -> BTreeMap<String, i64> {
    let of = |(grouping, value, n): &(String, String, i64)| (grouping == name && *n != 0).then(|| (value.clone(), *n));
    counts.iter().filter_map(of).collect()
}
