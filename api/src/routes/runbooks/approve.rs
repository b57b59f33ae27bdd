//! Votes for the draft, by somebody who did not write it; with enough votes it is approved.

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
    let vote = CastVote {
        on: Ballot::Draft(write.id.clone()),
        by: write.by(),
        standing_in_for: None,
        verdict: Verdict::Approve,
        content_hash,
        reason,
        at: now(),
    };
    write.run::<Runbook>(&vote).await
}
