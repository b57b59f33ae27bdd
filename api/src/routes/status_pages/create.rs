//! Makes a status page; nothing stands on it yet.

use commands::authorize::Action;
use commands::status_pages::CreatePage;
use domain::ids::StatusPageId;
use domain::status_page::{Command, Create, StatusPage, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/status-pages",
    access: Access::Holding(Action::ManageStatusPages),
    handle: |route| route.to(create),
};

const USUAL_ZONE: &str = "UTC";

async fn create(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let create = Create {
        by: write.by(),
        slug: fields.required("slug").unwrap_or_default(),
        name: fields.required("name").unwrap_or_default(),
        description: fields.optional("description").unwrap_or_default(),
        time_zone: fields.optional("time_zone").unwrap_or_else(|| USUAL_ZONE.to_owned()),
        audience: fields.optional("audience").unwrap_or_default(),
        team_id: fields.optional("team_id"),
    };
    fields.close_with(limits::faults(&Command::Create(Box::new(create.clone()))))?;
    let page = StatusPageId::new(&*write.id);
    write.make::<StatusPage>(&CreatePage { page, create }).await
}
