//! Gives a partner access to pages or parts of them, for a time and with a reason.

use commands::authorize::Action;
use commands::partner_grants::GrantAccess;
use domain::partner_grant::{Command, Grant, PartnerGrant, limits};
use jiff::Timestamp;

use crate::Answer;
use crate::clock::now;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/partner-grants",
    access: Access::Holding(Action::ManagePartnerGrants),
    handle: |route| route.to(give),
};

async fn give(write: Write) -> Answer {
    let at = now();
    let mut fields = write.fields()?;
    let grant = Grant {
        by: write.by(),
        organisation: fields.required("organisation").unwrap_or_default(),
        people: fields.identifiers("people").unwrap_or_default(),
        scope: fields.required("scope").unwrap_or_default(),
        from: fields.optional("from").unwrap_or(at),
        until: fields.required("until").unwrap_or(Timestamp::MIN),
        reason: fields.required("reason").unwrap_or_default(),
        at,
    };
    fields.close_with(limits::faults(&Command::Grant(Box::new(grant.clone()))))?;
    write.make::<PartnerGrant>(&GrantAccess { id: write.id.clone(), grant }).await
}
