//! Shows a person's account, now or as of a time or position.

use commands::authorize::Action;
use domain::user::User;

use crate::Answer;
use crate::read::Read;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/users/{id}",
    access: Access::Holding(Action::ReadPeople),
    handle: |route| route.to(show),
};

async fn show(read: Read) -> Answer {
    read.answer::<User>().await
}
