//! Takes somebody's access away at once, and gives it back.

use commands::authorize::Action;
use commands::sessions;
use commands::users::Change;
use domain::session::Ended;
use domain::user::{Command, User};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const DEACTIVATE: Route = Route {
    method: "POST",
    path: "/api/users/{id}/deactivate",
    access: Access::Holding(Action::ManagePeople),
    handle: |route| route.to(deactivate),
};

pub(in crate::routes) const REACTIVATE: Route = Route {
    method: "POST",
    path: "/api/users/{id}/reactivate",
    access: Access::Holding(Action::ManagePeople),
    handle: |route| route.to(reactivate),
};

async fn deactivate(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let reason = fields.optional("reason");
    fields.close()?;
    let command = Command::Deactivate { by: write.by(), reason };
    let outcome = write.bus.run(&write.request, &Change { user: write.id.clone(), command }).await?;
    // Nothing opens with them any more; so that nobody wonders they are ended too.
    sessions::end_all(&write.bus, &write.request, &write.id, None, Ended::Deactivated).await?;
    write.recorded::<User>(actix_web::http::StatusCode::OK, &outcome).await
}

async fn reactivate(write: Write) -> Answer {
    write.fields()?.close()?;
    let command = Command::Reactivate { by: write.by() };
    write.run::<User>(&Change { user: write.id.clone(), command }).await
}
