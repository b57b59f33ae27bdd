//! Makes a runbook with its first draft.

use commands::authorize::Action;
use domain::runbook::definition;
use domain::runbook::{Command, Runbook};

use crate::Answer;
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/runbooks",
    access: Access::Holding(Action::DraftRunbook),
    handle: |route| route.to(create),
};

async fn create(write: Write) -> Answer {
    write.query()?.close()?;
    let submission = definition::parse(&write.body).map_err(Problem::invalid)?;
    let by = write.by();
    let command = Command::Create { by, definition: submission.definition, change_note: submission.change_note };
    write.create::<Runbook>(&command).await
}
