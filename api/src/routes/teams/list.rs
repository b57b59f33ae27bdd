//! Lists teams.

use commands::authorize::Action;
use projections::lists::TeamList;
use projections::people::TeamDetail;

use crate::Answer;
use crate::collection::Collection;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/teams",
    access: Access::Holding(Action::ReadPeople),
    handle: |route| route.to(list),
};

async fn list(mut collection: Collection) -> Answer {
    let wanted = TeamList {
        archived: collection.query.named("archived").unwrap_or(false),
        search: collection.search(),
        sort: collection.sort(TeamList::SORTS),
        limit: collection.query.limit(),
    };
    collection.answer::<TeamDetail>(wanted.query()).await
}
