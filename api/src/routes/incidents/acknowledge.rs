//! Takes an incident on, for a time or until it is over.

use commands::authorize::Action;
use domain::incident::{Command, Incident};

use crate::Answer;
use crate::clock::now;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/incidents/{id}/acknowledge",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(acknowledge),
};

async fn acknowledge(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let expires_at = fields.coming("expires_at", now());
    fields.close()?;
    write.execute::<Incident>(&Command::Acknowledge { by: write.by(), expires_at }).await
}
