//! What lists can be asked for: typed requests that become queries of documents.

mod approvals;
mod incidents;
mod partner_grants;
mod people;
mod runbooks;
mod status_pages;
mod timeline;

use domain::ids::TeamId;
use storage::documents::{Filter, Sort, Value};

pub use approvals::{ApprovalList, Awaiting};
pub use incidents::IncidentList;
pub use partner_grants::PartnerGrantList;
pub use people::{ApiTokenList, TeamList, UserList};
pub use runbooks::RunbookList;
pub use status_pages::StatusPageList;
pub use timeline::{Told, timeline};

use crate::terms::typed;
use crate::view::optional;

/// Words that are looked for at most; the bound of `storage` holds for them and the facets together.
pub const WORDS: usize = 16;

/// Whose documents are wanted. None among them: what belongs to no team.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Teams {
    #[default]
    All,
    Only(Vec<Option<TeamId>>),
}

impl Teams {
    /// Those of `wanted` that are among these.
    #[must_use]
    pub fn only(self, wanted: Option<TeamId>) -> Self {
        match self {
            Self::Only(teams) if !teams.contains(&wanted) => Self::Only(Vec::new()),
            _ => Self::Only(vec![wanted]),
        }
    }

    fn filter(&self) -> Option<Filter> {
        let Self::Only(teams) = self else { return None };
        Some(Filter::In("team_id", teams.iter().map(|team| optional(team.as_ref())).collect()))
    }
}

/// Words that somebody typed, ready to be looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    terms: Vec<String>,
    prefix: Option<String>,
}

/// Why a text cannot be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSearch {
    #[error("must contain a letter or a digit")]
    Wordless,
    #[error("must have at most {WORDS} words")]
    Long,
}

impl std::str::FromStr for Search {
    type Err = NoSearch;

    fn from_str(text: &str) -> Result<Self, NoSearch> {
        let (terms, prefix) = typed(text);
        match terms.len() + usize::from(prefix.is_some()) {
            0 => Err(NoSearch::Wordless),
            1..=WORDS => Ok(Self { terms, prefix }),
            _ => Err(NoSearch::Long),
        }
    }
}

/// A column to sort by, with `-` before it for the last one first.
pub fn sort(word: &str, columns: &[&'static str]) -> Option<Sort> {
    let (name, descending) = word.strip_prefix('-').map_or((word, false), |name| (name, true));
    let column = columns.iter().copied().find(|column| *column == name)?;
    Some(Sort { column: Some(column), descending })
}

/// One of several words; no filter where there is none.
fn one_of<'a>(column: &'static str, words: impl IntoIterator<Item = &'a str>) -> Option<Filter> {
    let mut values: Vec<Value> = words.into_iter().map(|word| Value::Text(word.to_owned())).collect();
    values.sort();
    values.dedup();
    (!values.is_empty()).then_some(Filter::In(column, values))
}

#[cfg(test)]
mod tests {
    use domain::ids::TeamId;
    use storage::documents::{Filter, Sort, Value};

    use super::{NoSearch, Search, Teams, sort};

    #[test]
    fn nobody_gets_more_than_his_teams() {
        let team = |id: &str| Some(TeamId::new(id));
        let mine = || Teams::Only(vec![team("a"), None]);
        assert_eq!(Teams::All.only(team("b")), Teams::Only(vec![team("b")]));
        assert_eq!(mine().only(team("a")), Teams::Only(vec![team("a")]));
        assert_eq!(mine().only(None), Teams::Only(vec![None]));
        assert_eq!(mine().only(team("b")), Teams::Only(vec![]));
        assert_eq!(Teams::All.filter(), None);
        let values = vec![Value::Text("a".to_owned()), Value::Null];
        assert_eq!(mine().filter(), Some(Filter::In("team_id", values)));
        assert_eq!(Teams::Only(vec![]).filter(), Some(Filter::In("team_id", vec![])));
    }

    #[test]
    fn searches_and_sorts_are_checked() {
        assert_eq!("…".parse::<Search>(), Err(NoSearch::Wordless));
        assert_eq!("w ".repeat(17).parse::<Search>(), Err(NoSearch::Long));
        assert!("w ".repeat(16).parse::<Search>().is_ok());
        let by = |word| sort(word, &["name", "created_at"]);
        assert_eq!(by("-name"), Some(Sort { column: Some("name"), descending: true }));
        assert_eq!(by("created_at"), Some(Sort { column: Some("created_at"), descending: false }));
        for wrong in ["", "-", "--name", "key", "Name"] {
            assert_eq!(by(wrong), None, "{wrong}");
        }
    }
}
