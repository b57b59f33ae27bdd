//! Makes a team.

use commands::authorize::Action;
use domain::ids::TeamId;
use domain::team::{Command, Team};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/teams",
    access: Access::Holding(Action::ManageTeams),
    handle: |route| route.to(create),
};

async fn create(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let name: Option<String> = fields.required("name");
    let description: Option<String> = fields.optional("description");
    fields.close()?;
    let command = Command::Create {
        by: write.by(),
        team: TeamId::new(&*write.id),
        name: name.unwrap_or_default(),
        description: description.unwrap_or_default(),
    };
    write.create::<Team>(&command).await
}
