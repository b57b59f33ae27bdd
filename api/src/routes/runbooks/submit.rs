//! Submits the draft for approval.

use commands::authorize::Action;
use domain::runbook::{Command, Runbook};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/runbooks/{id}/submit",
    access: Access::Holding(Action::DraftRunbook),
    handle: |route| route.to(submit),
};

async fn submit(write: Write) -> Answer {
    write.fields()?.close()?;
    write.execute::<Runbook>(&Command::Submit { by: write.by() }).await
}
