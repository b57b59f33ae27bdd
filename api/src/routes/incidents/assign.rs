//! Replaces the assignees; an empty list assigns nobody.

use commands::authorize::Action;
use domain::incident::{Command, Incident, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/incidents/{id}/assign",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(assign),
};

async fn assign(write: Write) -> Answer {
    let by = write.by();
    let mut fields = write.fields()?;
    fields.require("to");
    let to = fields.identifiers("to").unwrap_or_default();
    let command = Command::Assign { by, to };
    fields.close_with(limits::faults(&command))?;
    write.execute::<Incident>(&command).await
}
