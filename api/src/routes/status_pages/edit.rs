//! Changes a status page. What is not sent stays as it is.

use commands::authorize::Action;
use commands::status_pages::EditPage;
use domain::ids::StatusPageId;
use domain::status_page::{Changes, Command, StatusPage, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "PATCH",
    path: "/api/status-pages/{id}",
    access: Access::Holding(Action::ManageStatusPages),
    handle: |route| route.to(edit),
};

async fn edit(write: Write) -> Answer {
    let by = write.by();
    let mut fields = write.fields()?;
    let changes = Changes {
        slug: fields.optional("slug"),
        name: fields.optional("name"),
        description: fields.optional("description"),
        time_zone: fields.optional("time_zone"),
        audience: fields.optional("audience"),
        // The one field that can be without a value.
        team_id: fields.nullable("team_id"),
    };
    fields.close_with(limits::faults(&Command::Edit { by: by.clone(), changes: Box::new(changes.clone()) }))?;
    let page = StatusPageId::new(&*write.id);
    write.run::<StatusPage>(&EditPage { by, page, changes }).await
}
