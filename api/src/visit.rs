//! Requests of somebody who has not said yet who he is: setting up, signing in.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use commands::sessions::{self, Begun};
use commands::{Actor, ActorKind, Bus, Keys, Request};
use serde_json::{Value, json};

use crate::cookie;
use crate::envelope::RequestId;
use crate::problem::Problem;
use crate::public_url::PublicUrl;
use crate::query::Query;
use crate::read::data;
use crate::{Answer, body, origin, respond};

#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) bus: web::Data<Bus>,
    pub(crate) keys: web::Data<Keys>,
    /// Nobody's, until it is known whose.
    pub(crate) request: Request,
    /// From where; not known, all are counted as one.
    pub(crate) from: IpAddr,
    /// `{}` where nothing was sent.
    pub(crate) body: Value,
    http: HttpRequest,
}

impl FromRequest for Visit {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let http = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            Query::parse(http.query_string())?.close()?;
            let bytes = body::receive(&http, payload).await?;
            let body = body::read(http.headers(), &bytes)?;
            let mut request = Request::new(Actor::system(ActorKind::System, "door"));
            request.request_id = http.extensions().get::<RequestId>().map(|id| id.0.clone());
            let (bus, keys) = (data(&http)?, data(&http)?);
            Ok(Self {
                bus,
                keys,
                request,
                from: origin::address(&http).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
                body,
                http,
            })
        })
    }
}

impl Visit {
    /// The same request, now that it is known whose it is.
    pub(crate) async fn of(&self, user: &str) -> Request {
        let mut request = self.request.clone();
        (request.ip_enc, request.client_enc) = origin::sealed(&self.keys, user, &self.http).await;
        request
    }

    /// Lets in whoever has begun a session.
    pub(crate) fn let_in(&self, status: StatusCode, begun: &Begun) -> Answer {
        let mut response = respond::json(status, &document(begun))?;
        let url: web::Data<PublicUrl> = data(&self.http)?;
        let seconds = begun.kept.ends_at().duration_since(begun.kept.begun_at).as_secs();
        cookie::keep(&mut response, &url, &begun.secret, seconds);
        Ok(response)
    }
}

/// A session as its own person sees it.
pub(crate) fn document(begun: &Begun) -> Value {
    let kept = &begun.kept;
    json!({
        "id": kept.id,
        "user_id": kept.user,
        "method": kept.method,
        "begun_at": kept.begun_at,
        "ends_at": kept.ends_at(),
        "csrf_token": sessions::csrf(&begun.secret),
    })
}

/// Takes the cookie back.
pub(crate) fn forget_cookie(http: &HttpRequest, response: &mut HttpResponse) -> Result<(), Problem> {
    let url: web::Data<PublicUrl> = data(http)?;
    cookie::forget(response, &url);
    Ok(())
}
