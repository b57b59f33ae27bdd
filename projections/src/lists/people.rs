//! Which teams and tokens a list shows, and in which order.

use domain::ids::UserId;
use storage::documents::{Filter, Query, Sort, Value};

use super::Search;

/// Teams, by name where nothing is said. Archived ones are left out unless they are asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TeamList {
    pub archived: bool,
    pub search: Search,
    pub sort: Option<Sort>,
    pub limit: usize,
}

impl TeamList {
    pub const SORTS: &'static [&'static str] = &["name", "created_at"];

    pub fn query(&self) -> Query {
        Query {
            filters: vec![Filter::Is("archived", Value::Text(self.archived.to_string()))],
            terms: self.search.terms.clone(),
            prefix: self.search.prefix.clone(),
            sort: self.sort.unwrap_or(Sort { column: Some("name"), descending: false }),
            after: None,
            limit: self.limit,
        }
    }
}

/// Tokens, the newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ApiTokenList {
    /// Whose.
    pub owner: Option<UserId>,
    pub revoked: bool,
    pub limit: usize,
}

impl ApiTokenList {
    pub fn query(&self) -> Query {
        let mut filters = vec![Filter::Is("revoked", Value::Text(self.revoked.to_string()))];
        filters.extend(self.owner.as_ref().map(|owner| Filter::Is("owner", Value::Text(owner.to_string()))));
        let sort = Sort { column: Some("created_at"), descending: true };
        Query { filters, terms: vec![], prefix: None, sort, after: None, limit: self.limit }
    }
}

/// People of some standing, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UserList {
    /// Those who work here now, where nothing is said.
    pub status: Option<domain::user::Standing>,
    /// With each of these, see [`crate::terms::facet`].
    pub facets: Vec<String>,
    pub limit: usize,
}

impl UserList {
    pub fn query(&self) -> Query {
        let status = self.status.unwrap_or(domain::user::Standing::Active);
        let filters = vec![Filter::Is("status", Value::Text(status.as_str().to_owned()))];
        let sort = Sort { column: Some("created_at"), descending: false };
        Query { filters, terms: self.facets.clone(), prefix: None, sort, after: None, limit: self.limit }
    }
}
