//! Lists tokens: one's own, or everybody's.

use commands::authorize::Action;
use domain::ids::UserId;
use projections::lists::ApiTokenList;
use projections::people::ApiTokenDetail;

use crate::Answer;
use crate::collection::Collection;
use crate::door::Caller;
use crate::routes::{Access, Route};

pub(in crate::routes) const ALL: Route = Route {
    method: "GET",
    path: "/api/tokens",
    access: Access::Holding(Action::ManageTokens),
    handle: |route| route.to(all),
};

pub(in crate::routes) const OWN: Route =
    Route { method: "GET", path: "/api/me/tokens", access: Access::Person, handle: |route| route.to(own) };

async fn all(mut collection: Collection) -> Answer {
    let owner = collection.identifier("owner");
    list(collection, owner).await
}

async fn own(caller: Caller, collection: Collection) -> Answer {
    list(collection, Some(UserId::new(caller.0.id.as_str()))).await
}

async fn list(mut collection: Collection, owner: Option<UserId>) -> Answer {
    let revoked = collection.query.named("revoked").unwrap_or(false);
    let wanted = ApiTokenList { owner, revoked, limit: collection.query.limit() };
    collection.answer::<ApiTokenDetail>(wanted.query()).await
}
