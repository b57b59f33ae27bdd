//! The secrets of a grant, with which a partner's programs get tokens: made, listed, rotated, removed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use commands::authorize::Action;
use commands::partner_secrets::{self, Kept};
use domain::partner_grant::{PartnerGrant, Status};
use serde_json::{Value, json};
use vault::secrets::Secret;

use crate::Answer;
use crate::clock::now;
use crate::problem::Problem;
use crate::read::Read;
use crate::respond;
use crate::routes::{Access, Route};
use crate::write::Write;

/// Characters that the name of a secret may have.
const NAME_CHARACTERS: usize = 100;

pub(in crate::routes) const MAKE: Route = Route {
    method: "POST",
    path: "/api/partner-grants/{id}/tokens",
    access: Access::Holding(Action::ManagePartnerGrants),
    handle: |route| route.to(make),
};

pub(in crate::routes) const LIST: Route = Route {
    method: "GET",
    path: "/api/partner-grants/{id}/tokens",
    access: Access::Holding(Action::ReadPartnerGrants),
    handle: |route| route.to(list),
};

pub(in crate::routes) const ROTATE: Route = Route {
    method: "POST",
    path: "/api/partner-grants/{id}/tokens/{token}/rotate",
    access: Access::Holding(Action::ManagePartnerGrants),
    handle: |route| route.to(rotate),
};

pub(in crate::routes) const REMOVE: Route = Route {
    method: "DELETE",
    path: "/api/partner-grants/{id}/tokens/{token}",
    access: Access::Holding(Action::ManagePartnerGrants),
    handle: |route| route.to(remove),
};

async fn make(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let name: String = fields.required("name").unwrap_or_default();
    let sound = (1..=NAME_CHARACTERS).contains(&name.trim().chars().count()) && !name.chars().any(char::is_control);
    if !sound && !name.is_empty() {
        fields.fault("name", format!("must have 1 to {NAME_CHARACTERS} characters and not be blank"));
    }
    fields.close()?;
    usable(&write).await?;
    let made = partner_secrets::create(write.bus.store(), &write.id, name.trim(), &write.by(), now()).await?;
    shown_once(&made)
}

/// All at once: a grant has only so many.
async fn list(read: Read) -> Answer {
    let shown = read.find::<PartnerGrant>().await?;
    let all = partner_secrets::list(read.bus.store(), &read.id, now()).await?;
    let items: Vec<Value> = all.iter().map(document).collect();
    let mut response = respond::json(StatusCode::OK, &json!({ "items": items, "next_cursor": null }))?;
    respond::stamp(&mut response, &read.token(shown.position).await?);
    Ok(response)
}

/// The old one is good for another day, so that nobody has to change everything in one moment.
async fn rotate(write: Write) -> Answer {
    write.fields()?.close()?;
    usable(&write).await?;
    let by = write.by();
    let made = partner_secrets::rotate(write.bus.store(), &write.id, &write.token, &by, now()).await?;
    shown_once(&made)
}

async fn remove(write: Write) -> Answer {
    write.query()?.close()?;
    partner_secrets::remove(write.bus.store(), &write.id, &write.token).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What is over for good needs no secret.
async fn usable(write: &Write) -> Result<(), Problem> {
    match write.bus.look::<PartnerGrant>(&write.id).await?.map(|(grant, ..)| grant.status) {
        None | Some(Status::Ungranted) => Err(Problem::missing("there is no such partner grant")),
        Some(Status::Revoked) => Err(Problem::conflict("grant_revoked", "the grant was revoked for good")),
        Some(_) => Ok(()),
    }
}

fn shown_once((secret, kept): &(Secret, Kept)) -> Answer {
    let mut body = document(kept);
    body["secret"] = json!(secret.reveal());
    respond::json(StatusCode::CREATED, &body)
}

fn document(kept: &Kept) -> Value {
    json!({
        "id": kept.id,
        "name": kept.name,
        "created_by": kept.created_by,
        "created_at": kept.created_at,
        "expires_at": kept.expires_at,
    })
}
