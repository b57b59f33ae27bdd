//! Which incidents a list shows, and in which order.

use domain::ids::{ServiceId, UserId};
use domain::incident::{Severity, Status};
use jiff::Timestamp;
use storage::documents::{Filter, Query, Sort};

use super::{Search, Teams, one_of};
use crate::terms::facet;
use crate::view::moment;

/// All that is given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncidentList {
    pub teams: Teams,
    /// Any of these; any at all where there is none.
    pub statuses: Vec<Status>,
    pub severities: Vec<Severity>,
    pub service: Option<ServiceId>,
    pub assignee: Option<UserId>,
    /// Name and value.
    pub labels: Vec<(String, String)>,
    /// Then or later.
    pub created_after: Option<Timestamp>,
    pub created_before: Option<Timestamp>,
    pub search: Search,
    /// The latest first where nothing is said.
    pub sort: Option<Sort>,
    pub limit: usize,
}

impl IncidentList {
    pub const SORTS: &'static [&'static str] = &["created_at", "updated_at"];
    /// What `active` stands for: somebody has still to do something about it.
    pub const ACTIVE: [Status; 2] = [Status::Open, Status::Acknowledged];

    pub fn query(&self) -> Query {
        let mut filters: Vec<Filter> = self.teams.filter().into_iter().collect();
        filters.extend(one_of("status", self.statuses.iter().map(|status| status.as_str())));
        filters.extend(one_of("severity", self.severities.iter().map(|severity| severity.as_str())));
        filters.extend(self.created_after.map(|at| Filter::AtLeast("created_at", moment(at))));
        filters.extend(self.created_before.map(|at| Filter::Below("created_at", moment(at))));
        let mut terms = self.search.terms.clone();
        terms.extend(self.labels.iter().map(|(name, value)| facet("label", &format!("{name}={value}"))));
        terms.extend(self.service.iter().map(|id| facet("service", id.as_ref())));
        terms.extend(self.assignee.iter().map(|id| facet("assignee", id.as_ref())));
        Query {
            filters,
            terms,
            prefix: self.search.prefix.clone(),
            sort: self.sort.unwrap_or(Sort { column: Some("created_at"), descending: true }),
            after: None,
            limit: self.limit,
        }
    }
}
