//! Discards the draft. Of a runbook that was never approved only the history is left.

use commands::authorize::Action;
use commands::runbooks::Revise;
use domain::runbook::{Command, Runbook};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "DELETE",
    path: "/api/runbooks/{id}/draft",
    access: Access::Holding(Action::DraftRunbook),
    handle: |route| route.to(discard),
};

async fn discard(write: Write) -> Answer {
    write.fields()?.close()?;
    let command = Command::DiscardDraft { by: write.by() };
    write.run::<Runbook>(&Revise { runbook_id: write.id.clone(), command }).await
}
