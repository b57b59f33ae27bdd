//! One's own sessions: which there are, from where, and an end to any of them.

use actix_web::HttpResponse;
use commands::sessions;
use domain::session::Ended;

use crate::Answer;
use crate::door::Caller;
use crate::problem::Problem;
use crate::read::Read;
use crate::routes::users::sessions::listed;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const LIST: Route =
    Route { method: "GET", path: "/api/me/sessions", access: Access::Person, handle: |route| route.to(list) };

pub(in crate::routes) const END: Route =
    Route { method: "DELETE", path: "/api/me/sessions/{id}", access: Access::Person, handle: |route| route.to(end) };

async fn list(caller: Caller, read: Read) -> Answer {
    let present = caller.1.map(|signed_in| signed_in.kept.id);
    listed(&read, caller.0.id.as_str(), present.as_deref()).await
}

async fn end(write: Write) -> Answer {
    write.fields()?.close()?;
    let user = write.request.actor.id.to_string();
    if !sessions::end(&write.bus, &write.request, &user, &write.id, Ended::Revoked).await? {
        return Err(Problem::missing("there is no such session of yours"));
    }
    Ok(HttpResponse::NoContent().finish())
}
