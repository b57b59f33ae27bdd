//! Approves and rejects, whatever it is about. What follows from it happens in the same moment.

use commands::approvals::{Ballot, CastVote};
use commands::authorize::Action;
use domain::approval::{Approval, Verdict};
use domain::ids::UserId;

use crate::Answer;
use crate::clock::now;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const APPROVE: Route = Route {
    method: "POST",
    path: "/api/approvals/{id}/approve",
    access: Access::Holding(Action::VoteOnApprovals),
    handle: |route| route.to(approve),
};

pub(in crate::routes) const REJECT: Route = Route {
    method: "POST",
    path: "/api/approvals/{id}/reject",
    access: Access::Holding(Action::VoteOnApprovals),
    handle: |route| route.to(reject),
};

async fn approve(write: Write) -> Answer {
    vote(&write, Verdict::Approve).await
}

async fn reject(write: Write) -> Answer {
    vote(&write, Verdict::Reject).await
}

async fn vote(write: &Write, verdict: Verdict) -> Answer {
    let mut fields = write.fields()?;
    // Of what the voter has read. Without it, what is asked for is meant, which never changes.
    let content_hash = fields.optional("content_hash");
    let reason = fields.optional("reason");
    let standing_in_for = fields.optional::<UserId>("standing_in_for");
    if verdict == Verdict::Reject {
        fields.require("reason");
    }
    fields.close()?;
    let (on, by) = (Ballot::Approval(write.id.clone()), write.by());
    let vote = CastVote { on, by, standing_in_for, verdict, content_hash, reason, at: now() };
    write.run::<Approval>(&vote).await
}
