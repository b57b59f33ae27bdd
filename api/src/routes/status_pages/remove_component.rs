//! Removes a component. Its id is never used again, so that grants that name it open nothing else.

use commands::authorize::Action;
use domain::status_page::{Command, StatusPage};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "DELETE",
    path: "/api/status-pages/{id}/components/{component}",
    access: Access::Holding(Action::ManageStatusPages),
    handle: |route| route.to(remove),
};

async fn remove(write: Write) -> Answer {
    write.query()?.close()?;
    let command = Command::RemoveComponent { by: write.by(), component: write.component()? };
    write.execute::<StatusPage>(&command).await
}
