//! Takes a status page away; its history is left, and its slug is free.

use commands::authorize::Action;
use commands::status_pages::ArchivePage;
use domain::ids::StatusPageId;
use domain::status_page::{Command, StatusPage, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/status-pages/{id}/archive",
    access: Access::Holding(Action::ManageStatusPages),
    handle: |route| route.to(archive),
};

async fn archive(write: Write) -> Answer {
    let by = write.by();
    let mut fields = write.fields()?;
    let reason: Option<String> = fields.optional("reason");
    fields.close_with(limits::faults(&Command::Archive { by: by.clone(), reason: reason.clone() }))?;
    let page = StatusPageId::new(&*write.id);
    write.run::<StatusPage>(&ArchivePage { by, page, reason }).await
}
