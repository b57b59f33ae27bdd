//! What was asked for under a grant, and what was answered: oldest first, refusals too.

use actix_web::http::StatusCode;
use commands::accesses;
use commands::authorize::Action;
use domain::partner_grant::PartnerGrant;
use serde_json::{Value, json};
use storage::bulk::StoredBulk;

use crate::Answer;
use crate::problem::Problem;
use crate::read::Rows;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/partner-grants/{id}/accesses",
    access: Access::Holding(Action::ReadPartnerGrants),
    handle: |route| route.to(list),
};

async fn list(Rows { read, after, limit }: Rows) -> Answer {
    // That it is there, and may be seen.
    let shown = read.find::<PartnerGrant>().await?;
    let mut rows = accesses::of_grant(read.bus.store(), &read.id, after, limit + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|last| format!("{}.{}", last.position, last.ord));
    let items = rows.iter().map(entry).collect::<Result<Vec<Value>, Problem>>()?;
    let mut response = respond::json(StatusCode::OK, &json!({ "items": items, "next_cursor": next }))?;
    respond::stamp(&mut response, &read.token(shown.position).await?);
    Ok(response)
}

/// A row as it was recorded, and at which position its proof stands.
fn entry(row: &StoredBulk) -> Result<Value, Problem> {
    let mut entry: Value = serde_json::from_slice(&row.body).map_err(|error| Problem::internal(&error))?;
    entry["position"] = json!(row.position);
    entry["ord"] = json!(row.ord);
    Ok(entry)
}
