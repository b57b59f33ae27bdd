//! Replaces what a grant opens. It holds from the next request on.

use commands::authorize::Action;
use commands::partner_grants::ChangeScope;
use domain::partner_grant::{Command, PartnerGrant, Scope, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "PUT",
    path: "/api/partner-grants/{id}/scope",
    access: Access::Holding(Action::ManagePartnerGrants),
    handle: |route| route.to(change),
};

async fn change(write: Write) -> Answer {
    let by = write.by();
    let mut fields = write.fields()?;
    let scope: Scope = fields.required("scope").unwrap_or_default();
    let reason: String = fields.required("reason").unwrap_or_default();
    let command = Command::ChangeScope { by: by.clone(), scope: scope.clone(), reason: reason.clone() };
    fields.close_with(limits::faults(&command))?;
    write.run::<PartnerGrant>(&ChangeScope { by, id: write.id.clone(), scope, reason }).await
}
