//! Takes a resolved incident up again.

use commands::authorize::Action;
use domain::incident::{Command, Incident, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/incidents/{id}/reopen",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(reopen),
};

async fn reopen(write: Write) -> Answer {
    let by = write.by();
    let mut fields = write.fields()?;
    let reason = fields.optional("reason");
    let command = Command::Reopen { by, reason };
    fields.close_with(limits::faults(&command))?;
    write.execute::<Incident>(&command).await
}
