//! Changes what a team is called.

use commands::authorize::Action;
use domain::team::{Command, Team};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "PATCH",
    path: "/api/teams/{id}",
    access: Access::Holding(Action::ManageTeams),
    handle: |route| route.to(edit),
};

async fn edit(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let name = fields.optional("name");
    let description = fields.optional("description");
    fields.close()?;
    write.execute::<Team>(&Command::Edit { by: write.by(), name, description }).await
}
