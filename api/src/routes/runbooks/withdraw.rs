//! Takes a submitted draft back.

use commands::authorize::Action;
use commands::runbooks::Revise;
use domain::runbook::{Command, Runbook};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/runbooks/{id}/withdraw",
    access: Access::Holding(Action::DraftRunbook),
    handle: |route| route.to(withdraw),
};

async fn withdraw(write: Write) -> Answer {
    write.fields()?.close()?;
    let command = Command::WithdrawSubmission { by: write.by() };
    write.run::<Runbook>(&Revise { runbook_id: write.id.clone(), command }).await
}
