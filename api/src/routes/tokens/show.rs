//! Shows a token, now or as of a time or position.

use commands::authorize::Action;
use domain::api_token::ApiToken;

use crate::Answer;
use crate::read::Read;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/tokens/{id}",
    access: Access::Holding(Action::ManageTokens),
    handle: |route| route.to(show),
};

async fn show(read: Read) -> Answer {
    read.answer::<ApiToken>().await
}
