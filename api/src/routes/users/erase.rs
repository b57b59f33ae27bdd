//! Erases a person, for good: what he did stays, and nothing says any more who he was.

use actix_web::http::StatusCode;
use commands::authorize::Action;
use commands::users::erase;
use domain::user::User;

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/users/{id}/erase",
    access: Access::Holding(Action::ManagePeople),
    handle: |route| route.to(handle),
};

async fn handle(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let reason = fields.optional("reason");
    fields.close()?;
    let outcome = erase(&write.bus, &write.keys, &write.request, &write.id, reason).await?;
    write.recorded::<User>(StatusCode::OK, &outcome).await
}
