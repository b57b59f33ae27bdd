//! Which partner grants a list shows, and in which order.

use domain::ids::{StatusPageId, SubjectId};
use domain::partner_grant::Status;
use jiff::Timestamp;
use storage::documents::{Filter, Query, Sort};

use super::{Search, one_of};
use crate::terms::facet;
use crate::view::moment;

/// All that is given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartnerGrantList {
    /// Any of these; any at all where there is none.
    pub statuses: Vec<Status>,
    /// Its scope names the page.
    pub page: Option<StatusPageId>,
    pub person: Option<SubjectId>,
    /// Its time is over then or later.
    pub ends_after: Option<Timestamp>,
    pub ends_before: Option<Timestamp>,
    pub search: Search,
    /// By organisation where nothing is said.
    pub sort: Option<Sort>,
    pub limit: usize,
}

impl PartnerGrantList {
    pub const SORTS: &'static [&'static str] = &["organisation", "ends_at", "created_at", "updated_at"];

    pub fn query(&self) -> Query {
        let mut filters: Vec<Filter> = Vec::new();
        filters.extend(one_of("status", self.statuses.iter().map(|status| status.as_str())));
        filters.extend(self.ends_after.map(|at| Filter::AtLeast("ends_at", moment(at))));
        filters.extend(self.ends_before.map(|at| Filter::Below("ends_at", moment(at))));
        let mut terms = self.search.terms.clone();
        terms.extend(self.page.iter().map(|id| facet("page", id.as_ref())));
        terms.extend(self.person.iter().map(|id| facet("person", id.as_ref())));
        Query {
            filters,
            terms,
            prefix: self.search.prefix.clone(),
            sort: self.sort.unwrap_or(Sort { column: Some("organisation"), descending: false }),
            after: None,
            limit: self.limit,
        }
    }
}
