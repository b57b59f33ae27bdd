//! Who one is, and what one is called.

use commands::users::edit_profile;
use domain::user::User;

use crate::Answer;
use crate::clock::now;
use crate::read::Read;
use crate::routes::users::edit::profile;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const SHOW: Route =
    Route { method: "GET", path: "/api/me", access: Access::Person, handle: |route| route.to(show) };

pub(in crate::routes) const EDIT: Route =
    Route { method: "PATCH", path: "/api/me", access: Access::Person, handle: |route| route.to(edit) };

async fn show(read: Read) -> Answer {
    read.answer_own::<User>().await
}

async fn edit(write: Write) -> Answer {
    let write = write.own();
    let (name, email) = profile(&write)?;
    let outcome = edit_profile(&write.bus, &write.keys, &write.request, &write.id, name, email, now()).await?;
    write.recorded::<User>(actix_web::http::StatusCode::OK, &outcome).await
}
