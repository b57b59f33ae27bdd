//! Uses a one-time link up: chooses a password, and is signed in.

use actix_web::http::StatusCode;
use commands::invitations::redeem;

use crate::Answer;
use crate::clock::now;
use crate::fields::Fields;
use crate::routes::{Access, Route};
use crate::visit::Visit;

pub(in crate::routes) const ROUTE: Route =
    Route { method: "POST", path: "/api/invitations/redeem", access: Access::Open, handle: |route| route.to(handle) };

async fn handle(visit: Visit) -> Answer {
    let mut fields = Fields::of(&visit.body);
    let token: Option<String> = fields.required("token");
    let password: Option<String> = fields.required("password");
    fields.close()?;
    let (token, password) = (token.unwrap_or_default(), password.unwrap_or_default());
    let begun = redeem(&visit.bus, &visit.keys, async |user| visit.of(user).await, &token, &password, now()).await?;
    visit.let_in(StatusCode::CREATED, &begun)
}
