//! The numbers of a dashboard.
//!
//! They are of all teams together, so that each part is for those who read all of it: who reads all incidents but not all
//! runbooks or approvals gets `null` for those.

use actix_web::http::StatusCode;
use commands::authorize::{Action, Scope};
use projections::approvals::ApprovalDetail;
use projections::incidents::IncidentDetail;
use projections::overview;
use projections::runbooks::RunbookDetail;
use serde_json::json;

use super::{Access, Route};
use crate::Answer;
use crate::collection::Collection;
use crate::problem::Problem;
use crate::respond;

pub(super) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/overview",
    access: Access::Holding(Action::ReadIncidents),
    handle: |route| route.to(read),
};

async fn read(collection: Collection) -> Answer {
    if collection.scope(Action::ReadIncidents) != Scope::Everything {
        return Err(Problem::denied("see the numbers of all teams"));
    }
    let all_runbooks = collection.scope(Action::ReadRunbooks) == Scope::Everything;
    let all_approvals = collection.scope(Action::ReadApprovals) == Scope::Everything;
    collection.fresh::<IncidentDetail>().await?;
    collection.fresh::<RunbookDetail>().await?;
    collection.fresh::<ApprovalDetail>().await?;
    let Collection { views, query, .. } = collection;
    query.close()?;
    let numbers = overview::read(&views).await?;
    let runbooks = all_runbooks.then_some(&numbers.runbooks);
    let approvals = all_approvals.then_some(&numbers.approvals);
    let mut response = respond::json(
        StatusCode::OK,
        &json!({
            "incidents": numbers.incidents,
            "runbooks": runbooks,
            "approvals": approvals,
            "position": numbers.position,
        }),
    )?;
    respond::stamp(&mut response, &views.store().token(numbers.position).await?);
    Ok(response)
}
