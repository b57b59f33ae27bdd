//! Every event as it is stored: who, when, what and why.

use commands::authorize::Action;
use domain::partner_grant::PartnerGrant;
use projections::as_of;
use projections::history::Entry;

use crate::Answer;
use crate::read::List;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/partner-grants/{id}/history",
    access: Access::Holding(Action::ReadPartnerGrants),
    handle: |route| route.to(history),
};

async fn history(List { read, part }: List) -> Answer {
    let logged = read.log::<PartnerGrant>().await?;
    let entries = logged.history.entries::<Entry>();
    let token = read.token(logged.folded.position).await?;
    respond::page(&as_of::page(entries, part.after, part.limit), &token)
}
