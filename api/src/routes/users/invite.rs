//! Makes a one-time link by which somebody chooses a password. It is in this answer and in no other.

use actix_web::http::StatusCode;
use commands::authorize::Action;
use commands::invitations::{HANDED_OVER, invite};
use serde_json::json;

use crate::clock::now;
use crate::routes::{Access, Route};
use crate::write::Write;
use crate::{Answer, respond};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/users/{id}/invitation",
    access: Access::Holding(Action::ManagePeople),
    handle: |route| route.to(handle),
};

async fn handle(write: Write) -> Answer {
    write.fields()?.close()?;
    let token = invite(&write.bus, &write.request, &write.id, HANDED_OVER).await?;
    let expires_at = now().checked_add(HANDED_OVER).unwrap_or_default();
    tracing::info!(user = write.id, by = %write.request.actor.id, "an invitation was made");
    respond::json(StatusCode::CREATED, &json!({ "token": token, "expires_at": expires_at }))
}
