//! Adds a responder in a role, and removes one.

use commands::authorize::Action;
use domain::ids::{UserId, is_sound};
use domain::incident::{Command, Incident, ResponderRole, limits};

use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ADD: Route = Route {
    method: "POST",
    path: "/api/incidents/{id}/responders",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(add),
};

/// Who and in which role stand in the query: bodies of DELETE get lost on the way (RFC 9110, 9.3.5).
pub(in crate::routes) const REMOVE: Route = Route {
    method: "DELETE",
    path: "/api/incidents/{id}/responders",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(remove),
};

async fn add(write: Write) -> Answer {
    let by = write.by();
    let mut fields = write.fields()?;
    let user = fields.identifier("user").unwrap_or_else(|| UserId::new(""));
    let role = fields.optional("role").unwrap_or(ResponderRole::Responder);
    let command = Command::AddResponder { by, user, role };
    fields.close_with(limits::faults(&command))?;
    write.execute::<Incident>(&command).await
}

async fn remove(write: Write) -> Answer {
    let mut query = write.query()?;
    let user = query.take("user").unwrap_or_default();
    if !is_sound(&user) {
        query.fault("user", "is required, and must be an identifier");
    }
    let role = query.take("role").map_or(ResponderRole::Responder, ResponderRole::from);
    query.close()?;
    let command = Command::RemoveResponder { by: write.by(), user: UserId::new(user), role };
    write.execute::<Incident>(&command).await
}
