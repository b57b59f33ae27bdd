//! Puts an incident off until a time.

use commands::authorize::Action;
use domain::incident::{Command, Incident, limits};
use jiff::Timestamp;

use crate::Answer;
use crate::clock::now;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/incidents/{id}/snooze",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(snooze),
};

async fn snooze(write: Write) -> Answer {
    let by = write.by();
    let mut fields = write.fields()?;
    let at = now();
    // Far off where it could not be read: that fault is noted already.
    let until = fields.required("until").unwrap_or(Timestamp::MAX);
    let command = Command::Snooze { by, until, at };
    fields.close_with(limits::faults(&command))?;
    write.execute::<Incident>(&command).await
}
