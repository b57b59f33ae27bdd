//! Replaces the draft, or starts the next version's.

use commands::authorize::Action;
use commands::runbooks::Revise;
use domain::runbook::definition;
use domain::runbook::{Command, Runbook};

use crate::Answer;
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "PUT",
    path: "/api/runbooks/{id}",
    access: Access::Holding(Action::DraftRunbook),
    handle: |route| route.to(edit),
};

async fn edit(write: Write) -> Answer {
    write.query()?.close()?;
    let submission = definition::parse(&write.body).map_err(Problem::invalid)?;
    let by = write.by();
    let command = Command::Edit { by, definition: submission.definition, change_note: submission.change_note };
    write.run::<Runbook>(&Revise { runbook_id: write.id.clone(), command }).await
}
