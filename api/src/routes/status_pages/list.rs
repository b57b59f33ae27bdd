//! Lists status pages: filtered, searched and sorted.

use commands::authorize::Action;
use domain::status_page::Audience;
use projections::lists::StatusPageList;
use projections::status_pages::{ARCHIVED, LIVE, StatusPageDetail};

use crate::Answer;
use crate::collection::Collection;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/status-pages",
    access: Access::Holding(Action::ReadStatusPages),
    handle: |route| route.to(list),
};

const INDICATORS: [&str; 5] = ["none", "maintenance", "minor", "major", "critical"];

async fn list(mut collection: Collection) -> Answer {
    let wanted = wanted(&mut collection);
    collection.answer::<StatusPageDetail>(wanted.query()).await
}

fn wanted(collection: &mut Collection) -> StatusPageList {
    let teams = collection.teams(Action::ReadStatusPages);
    let query = &mut collection.query;
    let state = |word: &str| [LIVE, ARCHIVED].into_iter().find(|state| *state == word);
    let indicator = |word: &str| INDICATORS.contains(&word).then(|| word.to_owned());
    let audience = |word: &str| Audience::ALL.into_iter().find(|audience| audience.as_str() == word);
    StatusPageList {
        teams,
        states: query.words("state", "live or archived", state),
        audience: query.words("audience", "public or partners", audience).pop(),
        indicators: query.words("indicator", "none, maintenance, minor, major or critical", indicator),
        limit: query.limit(),
        slug: collection.identifier::<Slug>("slug").map(|slug| slug.0),
        service: collection.identifier("service_id"),
        incident: collection.identifier("incident_id"),
        search: collection.search(),
        sort: collection.sort(StatusPageList::SORTS),
    }
}

/// Whatever could be one.
struct Slug(String);

impl From<&str> for Slug {
    fn from(slug: &str) -> Self {
        Self(slug.to_owned())
    }
}
