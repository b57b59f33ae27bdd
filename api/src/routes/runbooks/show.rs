//! Shows a runbook, now or as of a time or position.

use commands::authorize::Action;
use domain::runbook::Runbook;

use crate::Answer;
use crate::read::Read;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/runbooks/{id}",
    access: Access::Holding(Action::ReadRunbooks),
    handle: |route| route.to(show),
};

async fn show(read: Read) -> Answer {
    read.answer::<Runbook>().await
}
