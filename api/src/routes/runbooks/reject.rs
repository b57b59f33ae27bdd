//! Sends a submitted draft back to its authors, with the reason.

use commands::authorize::Action;
use commands::runbooks::{DecideVersion, Decision};
use domain::runbook::Runbook;

use crate::Answer;
use crate::clock::now;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/runbooks/{id}/reject",
    access: Access::Holding(Action::DecideRunbook),
    handle: |route| route.to(reject),
};

async fn reject(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let content_hash = fields.optional("content_hash");
    let reason: Option<String> = fields.required("reason");
    fields.close()?;
    let decision = Decision::Reject { content_hash, reason: reason.unwrap_or_default() };
    write.run::<Runbook>(&DecideVersion { runbook_id: write.id.clone(), by: write.by(), at: now(), decision }).await
}
