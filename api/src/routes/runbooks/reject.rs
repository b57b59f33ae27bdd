//! Sends a submitted draft back to its authors, with the reason.

use commands::approvals::{Ballot, CastVote};
use commands::authorize::Action;
use domain::approval::Verdict;
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
    let vote = CastVote {
        on: Ballot::Draft(write.id.clone()),
        by: write.by(),
        standing_in_for: None,
        verdict: Verdict::Reject,
        content_hash,
        reason,
        at: now(),
    };
    write.run::<Runbook>(&vote).await
}
