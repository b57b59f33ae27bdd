//! Every event of a token: who, when, what and why.

use commands::authorize::Action;
use domain::api_token::ApiToken;
use projections::as_of;
use projections::history::Entry;

use crate::Answer;
use crate::read::List;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/tokens/{id}/history",
    access: Access::Holding(Action::ManageTokens),
    handle: |route| route.to(history),
};

async fn history(List { read, part }: List) -> Answer {
    let logged = read.log::<ApiToken>().await?;
    let token = read.token(logged.folded.position).await?;
    respond::page(&as_of::page(logged.history.entries::<Entry>(), part.after, part.limit), &token)
}
