//! What happened, in words, with that of the incidents merged into it.

use commands::authorize::Action;
use domain::incident::Incident;
use projections::lists::timeline as told;
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
    if let Some(until) = read.as_of {
        let logged = read.log::<Incident>().await?;
        let entries = entries::read(read.bus.store(), &read.id, until).await?;
        let token = read.token(logged.folded.position).await?;
        return respond::page(&as_of::page(entries, part.after, part.limit), &token);
    }
    // Whether it may be seen is the incident's affair.
    let shown = read.find::<Incident>().await?;
    read.fresh::<entries::Entry>().await?;
    let told = told(&read.views, &read.id, part.after, part.limit).await?;
    let next = told.next.map(|position| position.to_string());
    let token = read.token(told.position.min(shown.position)).await?;
    Ok(respond::stored_page(&told.items, next.as_deref(), &token))
}
