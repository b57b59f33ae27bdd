//! Changes a component. What is not sent stays as it is.

use commands::authorize::Action;
use domain::status_page::{Command, ComponentChanges, StatusPage, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "PATCH",
    path: "/api/status-pages/{id}/components/{component}",
    access: Access::Holding(Action::ManageStatusPages),
    handle: |route| route.to(edit),
};

async fn edit(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let changes = ComponentChanges {
        name: fields.optional("name"),
        description: fields.optional("description"),
        service_ids: fields.identifiers("service_ids"),
        only_show_if_degraded: fields.optional("only_show_if_degraded"),
    };
    let component = write.component()?;
    let command = Command::EditComponent { by: write.by(), component, changes: Box::new(changes) };
    fields.close_with(limits::faults(&command))?;
    write.execute::<StatusPage>(&command).await
}
