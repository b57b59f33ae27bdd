//! Where every view stands, in every version that there is in the database.

use actix_web::http::StatusCode;
use commands::authorize::Action;
use projections::oversight;
use serde_json::{Value, json};

use super::view_document;
use crate::Answer;
use crate::collection::Collection;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/views",
    access: Access::Holding(Action::ReadViews),
    handle: |route| route.to(list),
};

async fn list(collection: Collection) -> Answer {
    let Collection { views, query, .. } = collection;
    query.close()?;
    let items: Vec<Value> = oversight::all(views.store()).await?.iter().map(view_document).collect();
    respond::json(StatusCode::OK, &json!({ "items": items, "next_cursor": null }))
}
