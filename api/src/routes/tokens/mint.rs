//! Makes a token: one's own, or a service's. Its secret is in this answer and in no other.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION};
use commands::authorize::Action;
use commands::tokens::{Wanted, mint};
use domain::ids::UserId;
use serde_json::json;

use crate::clock::now;
use crate::routes::{Access, Route, roles};
use crate::write::Write;
use crate::{Answer, respond};

pub(in crate::routes) const SERVICE: Route = Route {
    method: "POST",
    path: "/api/tokens",
    access: Access::Holding(Action::ManageTokens),
    handle: |route| route.to(service),
};

pub(in crate::routes) const OWN: Route =
    Route { method: "POST", path: "/api/me/tokens", access: Access::Person, handle: |route| route.to(own) };

async fn service(write: Write) -> Answer {
    make(write, None).await
}

async fn own(write: Write) -> Answer {
    let owner = UserId::new(write.request.actor.id.as_str());
    make(write, Some(owner)).await
}

async fn make(write: Write, owner: Option<UserId>) -> Answer {
    let mut fields = write.fields()?;
    let name: Option<String> = fields.required("name");
    fields.require("roles");
    let grants = roles::read(&mut fields).unwrap_or_default();
    let read_only = fields.optional("read_only").unwrap_or(false);
    let expires_at = fields.coming("expires_at", now());
    fields.close()?;
    let wanted = Wanted { name: name.unwrap_or_default(), owner, grants, read_only, expires_at };
    let minted = mint(&write.bus, &write.request, wanted, now()).await?;
    let mut response = respond::json(StatusCode::CREATED, &json!({ "id": minted.id, "token": minted.secret }))?;
    respond::stamp(&mut response, &write.bus.token(minted.outcome.position).await?);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/tokens/{}", minted.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}
