//! Ends an incident.

use commands::authorize::Action;
use domain::incident::{Command, Incident, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/incidents/{id}/resolve",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(resolve),
};

async fn resolve(write: Write) -> Answer {
    let by = write.by();
    let mut fields = write.fields()?;
    let resolution = fields.optional("resolution");
    let command = Command::Resolve { by, resolution };
    fields.close_with(limits::faults(&command))?;
    write.execute::<Incident>(&command).await
}
