//! Moves a component to a place among its siblings, or under another group.

use commands::authorize::Action;
use domain::status_page::{Command, StatusPage, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/status-pages/{id}/components/{component}/move",
    access: Access::Holding(Action::ManageStatusPages),
    handle: |route| route.to(shift),
};

async fn shift(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let group_id = fields.optional("group_id");
    let position = fields.required("position").unwrap_or(1);
    let component = write.component()?;
    let command = Command::MoveComponent { by: write.by(), component, group_id, position };
    fields.close_with(limits::faults(&command))?;
    write.execute::<StatusPage>(&command).await
}
