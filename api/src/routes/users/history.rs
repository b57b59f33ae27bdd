//! Every event of an account: who, when, what and why.

use commands::authorize::Action;
use domain::user::User;
use projections::as_of;
use projections::history::Entry;

use crate::Answer;
use crate::read::List;
use crate::routes::{Access, Route};
use crate::{respond, unseal};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/users/{id}/history",
    access: Access::Holding(Action::ReadPeople),
    handle: |route| route.to(history),
};

async fn history(List { read, part }: List) -> Answer {
    let logged = read.log::<User>().await?;
    let token = read.token(logged.folded.position).await?;
    let page = as_of::page(logged.history.entries::<Entry>(), part.after, part.limit);
    let mut items = Vec::with_capacity(page.items.len());
    for entry in &page.items {
        items.push(serde_json::to_value(entry).map_err(|error| crate::problem::Problem::internal(&error))?);
    }
    unseal::values(&read.keys, &mut items).await?;
    respond::page(&as_of::Page { items, next: page.next }, &token)
}
