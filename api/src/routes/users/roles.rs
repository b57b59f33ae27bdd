//! Gives somebody a role, and takes one away: everywhere, or in one team.

use commands::authorize::Action;
use commands::users::Change;
use domain::ids::{TeamId, is_sound};
use domain::roles::{Grant, Role};
use domain::user::{Command, User};

use crate::Answer;
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const GRANT: Route = Route {
    method: "POST",
    path: "/api/users/{id}/roles",
    access: Access::Holding(Action::ManageRoles),
    handle: |route| route.to(grant),
};

/// Which one stands in the query: bodies of DELETE get lost on the way (RFC 9110, 9.3.5).
pub(in crate::routes) const REVOKE: Route = Route {
    method: "DELETE",
    path: "/api/users/{id}/roles",
    access: Access::Holding(Action::ManageRoles),
    handle: |route| route.to(revoke),
};

async fn grant(write: Write) -> Answer {
    let mut fields = write.fields()?;
    fields.require("role");
    let role: Option<Role> = fields.named("role");
    let team = crate::routes::roles::team(&mut fields);
    fields.close()?;
    let Some(role) = role else { return Err(Problem::fault("/role", "is required")) };
    let command = Command::GrantRole { by: write.by(), grant: Grant { role, team } };
    write.run::<User>(&Change { user: write.id.clone(), command }).await
}

async fn revoke(write: Write) -> Answer {
    let mut query = write.query()?;
    let role: Option<Role> = query.named("role");
    if role.is_none() {
        query.fault("role", "is required, and must be a role");
    }
    let team = query.take("team_id");
    if !team.as_deref().is_none_or(is_sound) {
        query.fault("team_id", "must be an identifier");
    }
    query.close()?;
    let Some(role) = role else { return Err(Problem::fault("/query/role", "is required")) };
    let command = Command::RevokeRole { by: write.by(), grant: Grant { role, team: team.map(TeamId::new) } };
    write.run::<User>(&Change { user: write.id.clone(), command }).await
}
