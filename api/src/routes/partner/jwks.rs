//! The public keys that partners' tokens are signed with.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use vault::signing::Signing;

use crate::Answer;
use crate::read::data;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route =
    Route { method: "GET", path: "/.well-known/jwks.json", access: Access::Open, handle: |route| route.to(jwks) };

async fn jwks(request: HttpRequest) -> Answer {
    let signing = data::<Signing>(&request)?;
    respond::json(StatusCode::OK, &signing.jwks().await?)
}
