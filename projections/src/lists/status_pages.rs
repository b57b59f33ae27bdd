//! Which status pages a list shows, and in which order.

use domain::ids::{IncidentId, ServiceId};
use domain::status_page::Audience;
use storage::documents::{Filter, Query, Sort};

use super::{Search, Teams, one_of};
use crate::status_pages::LIVE;
use crate::terms::facet;

/// All that is given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StatusPageList {
    pub teams: Teams,
    /// `live`, `archived`; those that are live where nothing is said.
    pub states: Vec<&'static str>,
    pub audience: Option<Audience>,
    pub indicators: Vec<String>,
    pub slug: Option<String>,
    /// A component is linked to it.
    pub service: Option<ServiceId>,
    /// It touches a component now.
    pub incident: Option<IncidentId>,
    pub search: Search,
    /// By name where nothing is said.
    pub sort: Option<Sort>,
    pub limit: usize,
}

impl StatusPageList {
    pub const SORTS: &'static [&'static str] = &["name", "created_at", "updated_at"];

    pub fn query(&self) -> Query {
        let states = if self.states.is_empty() { &[LIVE][..] } else { &self.states };
        let mut filters: Vec<Filter> = self.teams.filter().into_iter().collect();
        filters.extend(one_of("state", states.iter().copied()));
        filters.extend(one_of("audience", self.audience.map(Audience::as_str)));
        filters.extend(one_of("indicator", self.indicators.iter().map(String::as_str)));
        filters.extend(one_of("slug", self.slug.as_deref()));
        let mut terms = self.search.terms.clone();
        terms.extend(self.service.iter().map(|id| facet("service", id.as_ref())));
        terms.extend(self.incident.iter().map(|id| facet("incident", id.as_ref())));
        Query {
            filters,
            terms,
            prefix: self.search.prefix.clone(),
            sort: self.sort.unwrap_or(Sort { column: Some("name"), descending: false }),
            after: None,
            limit: self.limit,
        }
    }
}
