//! Gives a grant a new time box.

use commands::authorize::Action;
use domain::partner_grant::{Command, PartnerGrant, limits};
use jiff::Timestamp;

use crate::Answer;
use crate::clock::now;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/partner-grants/{id}/renew",
    access: Access::Holding(Action::ManagePartnerGrants),
    handle: |route| route.to(renew),
};

async fn renew(write: Write) -> Answer {
    let at = now();
    let mut fields = write.fields()?;
    let from = fields.optional("from").unwrap_or(at);
    let until = fields.required("until").unwrap_or(Timestamp::MIN);
    let reason = fields.required("reason").unwrap_or_default();
    let command = Command::Renew { by: write.by(), from, until, reason, at };
    fields.close_with(limits::faults(&command))?;
    write.execute::<PartnerGrant>(&command).await
}
