//! One approved version with what it does. It never changes.

use actix_web::http::StatusCode;
use commands::authorize::Action;
use domain::runbook::Runbook;
use projections::runbooks::RunbookVersion;

use crate::Answer;
use crate::problem::Problem;
use crate::read::Read;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/runbooks/{id}/versions/{number}",
    access: Access::Holding(Action::ReadRunbooks),
    handle: |route| route.to(version),
};

async fn version(read: Read) -> Answer {
    let number: u32 = read.path("number")?;
    let (body, position) = if read.as_of.is_some() { then(&read, number).await? } else { now(&read, number).await? };
    let mut response = respond::stored(StatusCode::OK, body);
    respond::stamp(&mut response, &read.token(position).await?);
    Ok(response)
}

async fn now(read: &Read, number: u32) -> Result<(String, u64), Problem> {
    // Whether it may be seen is the runbook's affair.
    let shown = read.find::<Runbook>().await?;
    read.fresh::<RunbookVersion>().await?;
    let (stored, position) = read.views.find::<RunbookVersion>(&RunbookVersion::key(&read.id, number)).await?;
    Ok((stored.ok_or_else(missing)?.body, position.min(shown.position)))
}

async fn then(read: &Read, number: u32) -> Result<(String, u64), Problem> {
    let logged = read.log::<Runbook>().await?;
    let mut versions = logged.history.entries::<RunbookVersion>();
    let version = versions.find(|(_, version)| version.summary.number == number);
    let (_, version) = version.ok_or_else(missing)?;
    let body = serde_json::to_string(&version).map_err(|error| Problem::internal(&error))?;
    Ok((body, logged.folded.position))
}

fn missing() -> Problem {
    Problem::missing("there is no such version")
}
