//! Changes whose a grant is: its organisation and its people.

use commands::authorize::Action;
use domain::partner_grant::{Command, PartnerGrant, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "PATCH",
    path: "/api/partner-grants/{id}",
    access: Access::Holding(Action::ManagePartnerGrants),
    handle: |route| route.to(edit),
};

async fn edit(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let organisation = fields.optional("organisation");
    let people = fields.identifiers("people");
    let command = Command::Edit { by: write.by(), organisation, people };
    fields.close_with(limits::faults(&command))?;
    write.execute::<PartnerGrant>(&command).await
}
