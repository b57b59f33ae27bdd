//! What surrounds every request: its id, its log span, and the headers of every answer.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use commands::ids;
use tokio::time::Instant;
use tracing::Instrument;
use tracing::field::Empty;

use crate::headers::{REQUEST_ID, request_id};
use crate::metrics::Requests;

/// For log lines and events: given by the caller, or drawn.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

const ALWAYS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    // Nothing that we answer here is a page: nothing may run, load or frame it.
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cache-control", "no-store"),
];

pub(crate) async fn wrap(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = request_id(request.headers()).map_or_else(|| ids::fresh().to_string(), str::to_owned);
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", %id, method = %request.method(), path = request.path(), actor = Empty);
    let requests: Option<web::Data<Requests>> = request.app_data().cloned();
    let begun = Instant::now();
    async move {
        let mut response = next.call(request).await?;
        dress(response.headers_mut(), &id);
        let (status, took) = (response.status().as_u16(), begun.elapsed());
        if let Some(requests) = requests {
            let request = response.request();
            requests.answered(request.match_pattern(), request.method().as_str(), status, took);
        }
        if status >= 500 {
            tracing::warn!(status, ?took, "answered");
        } else {
            tracing::debug!(status, ?took, "answered");
        }
        Ok(response)
    }
    .instrument(span)
    .await
}

fn dress(headers: &mut HeaderMap, id: &str) {
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static(REQUEST_ID), id);
    }
}
