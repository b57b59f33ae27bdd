//! Changes an incident's details. What is not sent stays as it is; what is sent replaces.

use commands::authorize::Action;
use domain::incident::{Changes, Command, Incident, limits};

use super::declare::link;
use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "PATCH",
    path: "/api/incidents/{id}",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(edit),
};

async fn edit(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let changes = Changes {
        title: fields.optional("title"),
        summary: fields.optional("summary"),
        labels: fields.optional("labels"),
        service_ids: fields.identifiers("service_ids"),
        // The one field that can be without a value.
        team_id: fields.nullable("team_id"),
        links: fields.objects("links", link),
        custom_fields: fields.optional("custom_fields"),
    };
    let command = Command::Edit { by: write.by(), changes: Box::new(changes) };
    fields.close_with(limits::faults(&command))?;
    write.execute::<Incident>(&command).await
}
