//! Lets somebody in.

use actix_web::http::StatusCode;
use commands::authorize::Action;
use commands::users::{Address, Newcomer, enrol};
use domain::user::{Origin, User};

use crate::Answer;
use crate::clock::now;
use crate::problem::Problem;
use crate::routes::{Access, Route, roles};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/users",
    access: Access::Holding(Action::ManagePeople),
    handle: |route| route.to(create),
};

async fn create(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let name: Option<String> = fields.required("name");
    fields.require("email");
    let email: Option<Address> = fields.named("email");
    let grants = roles::read(&mut fields).unwrap_or_default();
    fields.close()?;
    let (Some(name), Some(email)) = (name, email) else { return Err(Problem::fault("", "lacks what is required")) };
    // He chooses one himself, see `invite`.
    let newcomer = Newcomer { name, email, grants, origin: Origin::Invited, password: None };
    let enrolled = enrol(&write.bus, &write.keys, &write.request, newcomer, now()).await?;
    write.recorded::<User>(StatusCode::CREATED, &enrolled.outcome).await
}
