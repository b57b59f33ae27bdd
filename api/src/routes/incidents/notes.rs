//! Adds a note.

use commands::authorize::Action;
use domain::incident::{Command, Incident, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/incidents/{id}/notes",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(notes),
};

async fn notes(write: Write) -> Answer {
    let by = write.by();
    let mut fields = write.fields()?;
    let text = fields.required("text").unwrap_or_default();
    let command = Command::AddNote { by, text };
    fields.close_with(limits::faults(&command))?;
    write.execute::<Incident>(&command).await
}
