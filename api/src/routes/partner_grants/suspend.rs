//! Stops a grant until it is resumed. It acts at once.

use commands::authorize::Action;
use domain::partner_grant::{Command, PartnerGrant, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/partner-grants/{id}/suspend",
    access: Access::Holding(Action::ManagePartnerGrants),
    handle: |route| route.to(suspend),
};

async fn suspend(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let reason = fields.required("reason").unwrap_or_default();
    let command = Command::Suspend { by: write.by(), reason };
    fields.close_with(limits::faults(&command))?;
    write.execute::<PartnerGrant>(&command).await
}
