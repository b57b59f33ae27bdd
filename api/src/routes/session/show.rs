//! The present session, with what a page needs to change anything in it, and who is signed in.

use actix_web::http::StatusCode;
use commands::sessions;
use domain::user::User;
use serde_json::json;

use crate::Answer;
use crate::door::{Caller, SignedIn};
use crate::problem::Problem;
use crate::read::Read;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route =
    Route { method: "GET", path: "/api/session", access: Access::Person, handle: |route| route.to(show) };

async fn show(caller: Caller, read: Read) -> Answer {
    let Caller(actor, Some(SignedIn { secret, kept })) = caller else { return Err(Problem::signed_out()) };
    let user = read.bus.look::<User>(actor.id.as_str()).await?.ok_or_else(Problem::signed_out)?.0;
    let mut document = json!({
        "id": kept.id,
        "user_id": kept.user,
        "method": kept.method,
        "begun_at": kept.begun_at,
        "ends_at": kept.ends_at(),
        "csrf_token": sessions::csrf(&secret),
        "user": { "id": user.id, "name": user.name, "email": user.email, "roles": user.grants },
    });
    crate::unseal::values(&read.keys, std::slice::from_mut(&mut document)).await?;
    respond::json(StatusCode::OK, &document)
}
