//! Every event as it is stored: who, when, what and why.

use commands::authorize::Action;
use domain::runbook::Runbook;
use projections::as_of;
use projections::history::Entry;

use crate::Answer;
use crate::read::List;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/runbooks/{id}/history",
    access: Access::Holding(Action::ReadRunbooks),
    handle: |route| route.to(history),
};

async fn history(List { read, part }: List) -> Answer {
    let found = read.find::<Runbook>().await?;
    let entries = found.history.entries::<Entry>();
    respond::page(&as_of::page(entries, part.after, part.limit), &found.token)
}
