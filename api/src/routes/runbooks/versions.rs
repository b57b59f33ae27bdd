//! Every approved version, oldest first, without what it does.

use commands::authorize::Action;
use domain::runbook::Runbook;
use projections::as_of;

use crate::Answer;
use crate::read::List;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/runbooks/{id}/versions",
    access: Access::Holding(Action::ReadRunbooks),
    handle: |route| route.to(versions),
};

async fn versions(List { read, part }: List) -> Answer {
    let found = read.find::<Runbook>().await?;
    let versions = found.folded.document.versions.into_iter().map(|version| (u64::from(version.number), version));
    respond::page(&as_of::page(versions, part.after, part.limit), &found.token)
}
