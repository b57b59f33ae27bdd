//! Which runbooks a list shows, and in which order. What was discarded is in none.

use domain::runbook::{Phase, Status};
use storage::documents::{Filter, Query, Sort, Value};

use super::{Search, Teams, one_of};
use crate::terms::facet;

/// All that is given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunbookList {
    pub teams: Teams,
    pub status: Option<Status>,
    /// Of its draft.
    pub draft: Option<Phase>,
    pub environment: Option<String>,
    /// It has each of them.
    pub tags: Vec<String>,
    pub search: Search,
    /// By name where nothing is said.
    pub sort: Option<Sort>,
    pub limit: usize,
}

impl RunbookList {
    pub const SORTS: &'static [&'static str] = &["name", "created_at", "updated_at"];

    pub fn query(&self) -> Query {
        let text = |text: &str| Value::Text(text.to_owned());
        let mut filters: Vec<Filter> = self.teams.filter().into_iter().collect();
        let statuses = self.status.as_ref().map_or(&Status::ALL[..], std::slice::from_ref);
        filters.extend(one_of("status", statuses.iter().map(|status| status.as_str())));
        filters.extend(self.draft.map(|phase| Filter::Is("draft", text(phase.as_str()))));
        filters.extend(self.environment.as_deref().map(|name| Filter::Is("environment", text(name))));
        let mut terms = self.search.terms.clone();
        terms.extend(self.tags.iter().map(|tag| facet("tag", tag)));
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

#[cfg(test)]
mod tests {
    use storage::documents::Filter;

    use super::RunbookList;
    use crate::runbooks::DISCARDED;

    #[test]
    fn what_was_discarded_is_never_asked_for() {
        let filters = RunbookList::default().query().filters;
        let [Filter::In("status", wanted)] = &filters[..] else { panic!("{filters:?}") };
        assert_eq!(wanted.len(), 3);
        assert!(!format!("{wanted:?}").contains(DISCARDED));
    }
}
