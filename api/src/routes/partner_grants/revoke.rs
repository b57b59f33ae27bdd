//! Takes a grant away for good. It acts at once.

use commands::authorize::Action;
use domain::partner_grant::{Command, PartnerGrant, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/partner-grants/{id}/revoke",
    access: Access::Holding(Action::ManagePartnerGrants),
    handle: |route| route.to(revoke),
};

async fn revoke(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let reason = fields.required("reason").unwrap_or_default();
    let command = Command::Revoke { by: write.by(), reason };
    fields.close_with(limits::faults(&command))?;
    write.execute::<PartnerGrant>(&command).await
}
