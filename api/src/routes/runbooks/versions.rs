//! Every approved version, oldest first, without what it does.

use commands::authorize::Action;
use domain::runbook::Runbook;
use projections::as_of;
use projections::runbooks::VersionSummary;
use serde::Deserialize;

use crate::Answer;
use crate::problem::Problem;
use crate::read::List;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/runbooks/{id}/versions",
    access: Access::Holding(Action::ReadRunbooks),
    handle: |route| route.to(versions),
};

/// All of a runbook's document that matters here.
#[derive(Deserialize)]
struct Versions {
    versions: Vec<VersionSummary>,
}

async fn versions(List { read, part }: List) -> Answer {
    let shown = read.find::<Runbook>().await?;
    let Versions { versions } = serde_json::from_str(&shown.body).map_err(|error| Problem::internal(&error))?;
    let versions = versions.into_iter().map(|version| (u64::from(version.number), version));
    let token = read.token(shown.position).await?;
    respond::page(&as_of::page(versions, part.after, part.limit), &token)
}
