//! Shows a piece of work.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use commands::Bus;
use commands::authorize::Action;

use super::{missing, work_document, work_id};
use crate::Answer;
use crate::query::Query;
use crate::read::path_id;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/work/{id}",
    access: Access::Holding(Action::ReadWork),
    handle: |route| route.to(show),
};

async fn show(request: HttpRequest, bus: web::Data<Bus>) -> Answer {
    Query::parse(request.query_string())?.close()?;
    let id = work_id(&path_id(&request)?)?;
    let row = bus.store().work_row(id).await?.ok_or_else(missing)?;
    respond::json(StatusCode::OK, &work_document(&row))
}
