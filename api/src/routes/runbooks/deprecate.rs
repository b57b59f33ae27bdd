//! Takes the current version out of use, and a submission back.

use commands::authorize::Action;
use commands::runbooks::Deprecate;
use domain::runbook::Runbook;

use crate::Answer;
use crate::clock::now;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/runbooks/{id}/deprecate",
    access: Access::Holding(Action::DecideRunbook),
    handle: |route| route.to(deprecate),
};

async fn deprecate(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let reason = fields.optional("reason");
    fields.close()?;
    write.run::<Runbook>(&Deprecate { runbook_id: write.id.clone(), by: write.by(), reason, at: now() }).await
}
