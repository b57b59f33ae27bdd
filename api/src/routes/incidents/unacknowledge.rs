//! Takes an acknowledgement back.

use commands::authorize::Action;
use domain::incident::{Command, Incident};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/incidents/{id}/unacknowledge",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(unacknowledge),
};

async fn unacknowledge(write: Write) -> Answer {
    write.fields()?.close()?;
    write.execute::<Incident>(&Command::Unacknowledge { by: write.by() }).await
}
