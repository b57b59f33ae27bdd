//! Changes the severity; after the end it is a correction and needs a reason.

use commands::authorize::Action;
use domain::incident::{Command, Incident, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/incidents/{id}/severity",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(severity),
};

async fn severity(write: Write) -> Answer {
    let by = write.by();
    let mut fields = write.fields()?;
    fields.require("severity");
    let severity = fields.named("severity").unwrap_or_default();
    let reason = fields.optional("reason");
    let command = Command::ChangeSeverity { by, severity, reason };
    fields.close_with(limits::faults(&command))?;
    write.execute::<Incident>(&command).await
}
