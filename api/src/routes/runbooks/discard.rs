//! Discards the draft. Of a runbook that was never approved only the history is left.

use commands::authorize::Action;
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
    write.execute::<Runbook>(&Command::DiscardDraft { by: write.by() }).await
}
