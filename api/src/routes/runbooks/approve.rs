//! Approves the draft, by somebody who did not write it.

use commands::authorize::Action;
use commands::runbooks::{DecideVersion, Decision};
use domain::runbook::Runbook;

use crate::Answer;
use crate::clock::now;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/runbooks/{id}/approve",
    access: Access::Holding(Action::DecideRunbook),
    handle: |route| route.to(approve),
};

async fn approve(write: Write) -> Answer {
    let mut fields = write.fields()?;
    // Of what the approver has read. Without it, the present draft is meant.
    let content_hash = fields.optional("content_hash");
    let reason = fields.optional("reason");
    fields.close()?;
    let decision = Decision::Approve { content_hash, reason };
    write.run::<Runbook>(&DecideVersion { runbook_id: write.id.clone(), by: write.by(), at: now(), decision }).await
}
