//! Somebody's sessions, and an end to all of them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use commands::authorize::Action;
use commands::sessions;
use domain::sealed::Sealed;
use domain::session::Ended;
use domain::user::User;
use serde_json::{Value, json};

use crate::Answer;
use crate::problem::Problem;
use crate::read::Read;
use crate::routes::{Access, Route};
use crate::write::Write;
use crate::{respond, unseal};

pub(in crate::routes) const LIST: Route = Route {
    method: "GET",
    path: "/api/users/{id}/sessions",
    access: Access::Holding(Action::ManagePeople),
    handle: |route| route.to(list),
};

pub(in crate::routes) const END: Route = Route {
    method: "DELETE",
    path: "/api/users/{id}/sessions",
    access: Access::Holding(Action::ManagePeople),
    handle: |route| route.to(end),
};

async fn list(read: Read) -> Answer {
    if read.bus.look::<User>(&read.id).await?.is_none() {
        return Err(Problem::missing("there is no such user"));
    }
    listed(&read, &read.id, None).await
}

/// Sessions as people see them; never a secret.
pub(in crate::routes) async fn listed(read: &Read, user: &str, present: Option<&str>) -> Answer {
    let all = sessions::of(&read.bus, user).await?;
    let sealed = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str::<Sealed>(text).ok());
    let mut items: Vec<Value> = all
        .iter()
        .map(|kept| {
            json!({
                "id": kept.id,
                "method": kept.method,
                "begun_at": kept.begun_at,
                "used_at": kept.used_at,
                "ends_at": kept.ends_at(),
                "ip": sealed(&kept.ip_enc),
                "client": sealed(&kept.client_enc),
                "present": present == Some(kept.id.as_str()),
            })
        })
        .collect();
    unseal::values(&read.keys, &mut items).await?;
    respond::json(StatusCode::OK, &json!({ "items": items, "next_cursor": null }))
}

async fn end(write: Write) -> Answer {
    write.fields()?.close()?;
    sessions::end_all(&write.bus, &write.request, &write.id, None, Ended::Revoked).await?;
    Ok(HttpResponse::NoContent().finish())
}
