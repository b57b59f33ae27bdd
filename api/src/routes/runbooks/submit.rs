//! Submits the draft for approval, for as long as it may wait for one.

use commands::authorize::Action;
use commands::runbooks::Submit;
use domain::runbook::Runbook;
use jiff::SignedDuration;

use crate::Answer;
use crate::clock::now;
use crate::routes::{Access, Route};
use crate::write::Write;

/// How long a submission waits for a decision where nothing else is said.
const USUAL_WAIT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How many must approve where nothing else is said.
const USUAL_QUORUM: u32 = 1;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/runbooks/{id}/submit",
    access: Access::Holding(Action::DraftRunbook),
    handle: |route| route.to(submit),
};

async fn submit(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let expires_at = fields.coming("expires_at", now()).or_else(|| now().checked_add(USUAL_WAIT).ok());
    let quorum = fields.optional("quorum").unwrap_or(USUAL_QUORUM);
    fields.close()?;
    write.run::<Runbook>(&Submit { runbook_id: write.id.clone(), by: write.by(), quorum, expires_at }).await
}
