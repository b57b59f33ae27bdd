//! Takes a team out of use, and brings it back. What belongs to it stays its own.

use commands::authorize::Action;
use domain::team::{Command, Team};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ARCHIVE: Route = Route {
    method: "POST",
    path: "/api/teams/{id}/archive",
    access: Access::Holding(Action::ManageTeams),
    handle: |route| route.to(archive),
};

pub(in crate::routes) const RESTORE: Route = Route {
    method: "POST",
    path: "/api/teams/{id}/restore",
    access: Access::Holding(Action::ManageTeams),
    handle: |route| route.to(restore),
};

async fn archive(write: Write) -> Answer {
    write.fields()?.close()?;
    write.execute::<Team>(&Command::Archive { by: write.by() }).await
}

async fn restore(write: Write) -> Answer {
    write.fields()?.close()?;
    write.execute::<Team>(&Command::Restore { by: write.by() }).await
}
