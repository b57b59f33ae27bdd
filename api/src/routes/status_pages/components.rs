//! Shows the components of a page, and one of them, with what they show now.

use actix_web::http::StatusCode;
use commands::authorize::Action;
use domain::status_page::StatusPage;
use projections::status_pages::StatusPageDetail;
use serde_json::json;

use crate::Answer;
use crate::problem::Problem;
use crate::read::{Read, Shown};
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ALL: Route = Route {
    method: "GET",
    path: "/api/status-pages/{id}/components",
    access: Access::Holding(Action::ReadStatusPages),
    handle: |route| route.to(all),
};

pub(in crate::routes) const ONE: Route = Route {
    method: "GET",
    path: "/api/status-pages/{id}/components/{component}",
    access: Access::Holding(Action::ReadStatusPages),
    handle: |route| route.to(one),
};

/// All at once: a page has only so many.
async fn all(read: Read) -> Answer {
    let shown = read.find::<StatusPage>().await?;
    let page = page(&shown)?;
    answer(&read, &shown, &json!({ "items": page.components, "next_cursor": null })).await
}

async fn one(read: Read) -> Answer {
    let id: String = read.path("component")?;
    let shown = read.find::<StatusPage>().await?;
    let page = page(&shown)?;
    let component = page.component(&id).ok_or_else(|| Problem::missing("the page has no component with this id"))?;
    answer(&read, &shown, &json!(component)).await
}

fn page(shown: &Shown) -> Result<StatusPageDetail, Problem> {
    serde_json::from_str(&shown.body).map_err(|error| Problem::internal(&error))
}

/// Under the version of the page, which is what an edit of a component names too.
async fn answer(read: &Read, shown: &Shown, body: &serde_json::Value) -> Answer {
    let mut response = respond::json(StatusCode::OK, body)?;
    respond::stamp(&mut response, &read.token(shown.position).await?);
    respond::tag(&mut response, shown.card.version);
    Ok(response)
}
