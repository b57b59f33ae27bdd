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
    let found = read.find::<Runbook>().await?;
    let version = found.history.entries::<RunbookVersion>().find(|(_, version)| version.summary.number == number);
    let (_, version) = version.ok_or_else(|| Problem::missing("there is no such version"))?;
    let mut response = respond::json(StatusCode::OK, &version)?;
    respond::stamp(&mut response, &found.token);
    Ok(response)
}
