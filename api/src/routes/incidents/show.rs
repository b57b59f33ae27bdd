//! Shows an incident, now or as of a time or position.

use commands::authorize::Action;
use domain::incident::Incident;

use crate::Answer;
use crate::read::Read;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/incidents/{id}",
    access: Access::Holding(Action::ReadIncidents),
    handle: |route| route.to(show),
};

async fn show(read: Read) -> Answer {
    read.answer::<Incident>().await
}
