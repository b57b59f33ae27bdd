//! What happened, in words, with that of the incidents merged into it.

use commands::authorize::Action;
use domain::incident::Incident;
use projections::{as_of, timeline as entries};

use crate::Answer;
use crate::read::List;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/incidents/{id}/timeline",
    access: Access::Holding(Action::ReadIncidents),
    handle: |route| route.to(timeline),
};

async fn timeline(List { read, part }: List) -> Answer {
    let found = read.find::<Incident>().await?;
    let entries = entries::read(read.bus.store(), &read.id, read.until).await?;
    respond::page(&as_of::page(entries, part.after, part.limit), &found.token)
}
