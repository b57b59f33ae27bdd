//! Every event as it is stored: who, when, what and why.

use commands::authorize::Action;
use domain::status_page::StatusPage;
use projections::as_of;
use projections::history::Entry;

use crate::Answer;
use crate::read::List;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/status-pages/{id}/history",
    access: Access::Holding(Action::ReadStatusPages),
    handle: |route| route.to(history),
};

async fn history(List { read, part }: List) -> Answer {
    let logged = read.log::<StatusPage>().await?;
    let entries = logged.history.entries::<Entry>();
    let token = read.token(logged.folded.position).await?;
    respond::page(&as_of::page(entries, part.after, part.limit), &token)
}
