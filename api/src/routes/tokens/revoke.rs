//! Revokes a token: the very next request with it is refused.

use actix_web::HttpResponse;
use commands::authorize::Action;
use commands::tokens::revoke;
use domain::api_token::ApiToken;

use crate::Answer;
use crate::problem::Problem;
use crate::respond;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ANY: Route = Route {
    method: "DELETE",
    path: "/api/tokens/{id}",
    access: Access::Holding(Action::ManageTokens),
    handle: |route| route.to(any),
};

pub(in crate::routes) const OWN: Route =
    Route { method: "DELETE", path: "/api/me/tokens/{id}", access: Access::Person, handle: |route| route.to(own) };

async fn any(write: Write) -> Answer {
    let mut query = write.query()?;
    let reason = query.take("reason");
    query.close()?;
    let outcome = revoke(&write.bus, &write.request, &write.id, reason).await?;
    let mut response = HttpResponse::NoContent().finish();
    respond::stamp(&mut response, &write.bus.token(outcome.position).await?);
    Ok(response)
}

async fn own(write: Write) -> Answer {
    let mine = write.bus.look::<ApiToken>(&write.id).await?.is_some_and(|(token, ..)| {
        token.owner.as_ref().is_some_and(|owner| owner.as_str() == write.request.actor.id.as_str())
    });
    // Somebody else's is none of one's business.
    if mine { any(write).await } else { Err(Problem::missing("there is no such token of yours")) }
}
