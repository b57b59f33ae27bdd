//! Changes what somebody is called and where he is written to.

use actix_web::http::StatusCode;
use commands::authorize::Action;
use commands::users::{Address, edit_profile};
use domain::user::User;

use crate::Answer;
use crate::clock::now;
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "PATCH",
    path: "/api/users/{id}",
    access: Access::Holding(Action::ManagePeople),
    handle: |route| route.to(edit),
};

async fn edit(write: Write) -> Answer {
    let (name, email) = profile(&write)?;
    let outcome = edit_profile(&write.bus, &write.keys, &write.request, &write.id, name, email, now()).await?;
    write.recorded::<User>(StatusCode::OK, &outcome).await
}

/// What is to be changed.
pub(in crate::routes) fn profile(write: &Write) -> Result<(Option<String>, Option<Address>), Problem> {
    let mut fields = write.fields()?;
    let name = fields.optional("name");
    let email = fields.named("email");
    fields.close()?;
    Ok((name, email))
}
