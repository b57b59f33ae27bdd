//! Adds a component, or a group of components.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION};
use commands::authorize::Action;
use domain::ids::ComponentId;
use domain::status_page::{AddComponent, Command, StatusPage, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/status-pages/{id}/components",
    access: Access::Holding(Action::ManageStatusPages),
    handle: |route| route.to(add),
};

async fn add(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let id = write.request.command_id.to_string();
    let add = AddComponent {
        by: write.by(),
        id: ComponentId::new(&*id),
        name: fields.required("name").unwrap_or_default(),
        description: fields.optional("description").unwrap_or_default(),
        group: fields.optional("group").unwrap_or_default(),
        group_id: fields.optional("group_id"),
        service_ids: fields.identifiers("service_ids").unwrap_or_default(),
        only_show_if_degraded: fields.optional("only_show_if_degraded").unwrap_or_default(),
        position: fields.optional("position"),
    };
    let command = Command::AddComponent(Box::new(add));
    fields.close_with(limits::faults(&command))?;
    let mut response = write.execute::<StatusPage>(&command).await?;
    if let Ok(location) = HeaderValue::from_str(&format!("/api/status-pages/{}/components/{id}", write.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::CREATED;
    }
    Ok(response)
}
