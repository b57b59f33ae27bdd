//! Lets a suspended grant go on.

use commands::authorize::Action;
use domain::partner_grant::{Command, PartnerGrant, limits};

use crate::Answer;
use crate::clock::now;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/partner-grants/{id}/resume",
    access: Access::Holding(Action::ManagePartnerGrants),
    handle: |route| route.to(resume),
};

async fn resume(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let reason = fields.required("reason").unwrap_or_default();
    let command = Command::Resume { by: write.by(), reason, at: now() };
    fields.close_with(limits::faults(&command))?;
    write.execute::<PartnerGrant>(&command).await
}
