//! Takes a merged incident out again.

use commands::authorize::Action;
use commands::incidents::Unmerge;
use domain::ids::IncidentId;
use domain::incident::Incident;

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/incidents/{id}/unmerge",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(unmerge),
};

async fn unmerge(write: Write) -> Answer {
    write.fields()?.close()?;
    write.run::<Incident>(&Unmerge { by: write.by(), incident: IncidentId::new(&*write.id) }).await
}
