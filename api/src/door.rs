//! The door of each route: who asks, by a token or by a session, and whether he may do this anywhere at all. Before any
//! body is read.

use std::future::{Ready, ready};

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, ResponseError, web};
use commands::authorize::{Action, allowed_somewhere};
use commands::{Actor, Bus, sessions, tokens};

use crate::clock::now;
use crate::cookie;
use crate::partner;
use crate::problem::Problem;
use crate::public_url::PublicUrl;
use crate::read::data;
use crate::routes::Access;

/// Longer than any secret of ours, and than any token of a partner.
const SECRET_BYTES: usize = 2_048;
/// What proves that a change was asked for by a page of ours, see [`sessions::csrf`].
const CSRF: &str = "x-csrf-token";

pub(crate) async fn pass(
    access: Access,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let admitted = match access {
        Access::Open => Ok(()),
        Access::Person => admit(Action::ManageOneself, &request).await,
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
    let bus: &web::Data<Bus> = request.app_data().ok_or_else(|| Problem::internal(&"the app has no bus"))?;
    let caller = identify(bus, request).await?;
    tracing::Span::current().record("actor", caller.0.id.as_str());
    if !allowed_somewhere(&caller.0, action) {
        return Err(Problem::denied(action.describe()));
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

/// A token counts before a cookie: who sends one has said who he wants to be.
async fn identify(bus: &Bus, request: &ServiceRequest) -> Result<Caller, Problem> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(secret) = presented(request)? {
        let found = tokens::look_up(bus, &secret, now()).await?;
        let (actor, read_only) = found.ok_or_else(|| Problem::unauthenticated(true))?;
        if read_only && changes {
            return Err(Problem::denied("change anything: this token only reads"));
        }
        return Ok(Caller(actor, None));
    }
    let url = data::<PublicUrl>(request.request())?;
    let secret = cookie::session(request.headers(), &url).ok_or_else(|| Problem::unauthenticated(false))?;
    let found = sessions::look_up(bus, &secret, now()).await?;
    let (actor, kept) = found.ok_or_else(Problem::signed_out)?;
    if changes {
        let sent = request.headers().get(CSRF).and_then(|sent| sent.to_str().ok()).unwrap_or_default();
        if !sessions::csrf_matches(&secret, sent) {
            return Err(Problem::forged());
        }
    }
    Ok(Caller(actor, Some(SignedIn { secret, kept })))
}

/// The secret of a route that takes no other proof.
pub(crate) fn bearer(request: &ServiceRequest) -> Result<String, Problem> {
    presented(request)?.ok_or_else(|| Problem::unauthenticated(false))
}

fn presented(request: &ServiceRequest) -> Result<Option<String>, Problem> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(None) };
    let (scheme, secret) = value.to_str().ok().and_then(|value| value.split_once(' ')).unwrap_or_default();
    let sound = scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty() && secret.len() <= SECRET_BYTES;
    if sound && values.next().is_none() {
        Ok(Some(secret.trim().to_owned()))
    } else {
        Err(Problem::unauthenticated(true))
    }
}

/// Who asks. Only routes that somebody must pass know.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Actor, pub(crate) Option<SignedIn>);

/// The session that he asks in.
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub(crate) secret: String,
    pub(crate) kept: sessions::Kept,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedIn({})", self.kept.id)
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| Problem::internal(&"a route without a door asks for its caller")))
    }
}
