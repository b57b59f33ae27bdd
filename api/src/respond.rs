//! Answers that are no errors.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderName, HeaderValue};
use projections::as_of::Page;
use serde::Serialize;
use serde_json::json;
use storage::Token;

use crate::Answer;
use crate::headers::POSITION;
use crate::problem::Problem;

pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let text = serde_json::to_string(body).map_err(|error| Problem::internal(&error))?;
    Ok(HttpResponse::build(status).content_type("application/json").body(text))
}

/// Says up to where the log stands in an answer.
pub(crate) fn stamp(response: &mut HttpResponse, token: &Token) {
    if let Ok(value) = HeaderValue::from_str(&token.to_string()) {
        response.headers_mut().insert(HeaderName::from_static(POSITION), value);
    }
}

/// Says which version of an aggregate the answer is.
pub(crate) fn tag(response: &mut HttpResponse, version: u64) {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(ETAG, value);
    }
}

pub(crate) fn page<T: Serialize>(page: &Page<T>, token: &Token) -> Answer {
    let next_cursor = page.next.map(|position| position.to_string());
    let mut response = json(StatusCode::OK, &json!({ "items": page.items, "next_cursor": next_cursor }))?;
    stamp(&mut response, token);
    Ok(response)
}
