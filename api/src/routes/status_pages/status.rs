//! Sets the status of a component by hand, and gives it back to the incidents.

use commands::authorize::Action;
use domain::status_page::{Command, StatusPage, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const SET: Route = Route {
    method: "POST",
    path: "/api/status-pages/{id}/components/{component}/status",
    access: Access::Holding(Action::PublishStatus),
    handle: |route| route.to(set),
};

pub(in crate::routes) const RELEASE: Route = Route {
    method: "DELETE",
    path: "/api/status-pages/{id}/components/{component}/status",
    access: Access::Holding(Action::PublishStatus),
    handle: |route| route.to(release),
};

async fn set(write: Write) -> Answer {
    let mut fields = write.fields()?;
    fields.require("status");
    let status = fields.named("status").unwrap_or_default();
    let reason = fields.optional("reason");
    let component = write.component()?;
    let command = Command::SetStatus { by: write.by(), component, status, reason };
    fields.close_with(limits::faults(&command))?;
    write.execute::<StatusPage>(&command).await
}

async fn release(write: Write) -> Answer {
    write.query()?.close()?;
    let command = Command::ReleaseStatus { by: write.by(), component: write.component()? };
    write.execute::<StatusPage>(&command).await
}
