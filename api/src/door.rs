//! The door of each route: who asks, and whether his role may do this anywhere at all. Before any body is read.

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, ResponseError, web};
use commands::authorize::{Action, allowed_somewhere};
use commands::{Actor, Bus, tokens};
use std::future::{Ready, ready};

use crate::partner;
use crate::problem::Problem;
use crate::routes::Access;

/// A token of ours has 46 characters, and one of a partner some hundred.
const TOKEN_BYTES: usize = 2_048;

pub(crate) async fn pass(
    access: Access,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let admitted = match access {
        Access::Open => Ok(()),
        Access::Holding(action) => admit(action, &request).await,
        Access::PartnerSecret => partner::admit_by_secret(&request).await,
        Access::Partner => partner::admit_by_token(&request).await,
    };
    match admitted {
        Ok(()) => next.call(request).await,
        Err(problem) => Ok(request.into_response(problem.error_response())),
    }
}

async fn admit(action: Action, request: &ServiceRequest) -> Result<(), Problem> {
    let secret = bearer(request)?;
    let bus: &web::Data<Bus> = request.app_data().ok_or_else(|| Problem::internal(&"the app has no bus"))?;
    let token = tokens::look_up(bus.store(), &secret).await?.ok_or_else(|| Problem::unauthenticated(true))?;
    let actor = token.actor();
    tracing::Span::current().record("actor", actor.id.as_str());
    if !allowed_somewhere(&actor, action) {
        return Err(Problem::denied(action.describe()));
    }
    request.extensions_mut().insert(Caller(actor));
    Ok(())
}

pub(crate) fn bearer(request: &ServiceRequest) -> Result<String, Problem> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let value = values.next().ok_or_else(|| Problem::unauthenticated(false))?;
    let (scheme, secret) = value.to_str().ok().and_then(|value| value.split_once(' ')).unwrap_or_default();
    let sound = scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty() && secret.len() <= TOKEN_BYTES;
    if sound && values.next().is_none() { Ok(secret.trim().to_owned()) } else { Err(Problem::unauthenticated(true)) }
}

/// Who asks. Only routes that need a token know.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Actor);

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| Problem::internal(&"a route without a door asks for its caller")))
    }
}
