//! Merges an incident into another.

use commands::authorize::Action;
use commands::incidents::Merge;
use domain::ids::IncidentId;
use domain::incident::Incident;

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/incidents/{id}/merge",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(merge),
};

async fn merge(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let into = fields.identifier("into").unwrap_or_else(|| IncidentId::new(""));
    fields.close()?;
    write.run::<Incident>(&Merge { by: write.by(), incident: IncidentId::new(&*write.id), into }).await
}
