//! Answers that are no errors.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderName, HeaderValue};
use projections::as_of::Page;
use serde::Serialize;
use serde_json::json;
use storage::Token;
use storage::documents::Stored;

use crate::Answer;
use crate::headers::POSITION;
use crate::problem::Problem;

pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let text = serde_json::to_string(body).map_err(|error| Problem::internal(&error))?;
    Ok(stored(status, text))
}

/// A document as it is stored, or as it would be.
pub(crate) fn stored(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status).content_type("application/json").body(text)
}

/// A document as it is stored; one that stands still says so.
pub(crate) fn whole(stored: &Stored) -> Cow<'_, str> {
    match (&stored.parked, stored.body.strip_suffix('}')) {
        (Some(parked), Some(open)) => {
            let comma = if open.ends_with('{') { "" } else { "," };
            let parked = json!({ "at": parked.at, "why": parked.why });
            Cow::Owned(format!("{open}{comma}\"parked\":{parked}}}"))
        }
        _ => Cow::Borrowed(&stored.body),
    }
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

pub(crate) fn stored_page(items: &[Stored], next_cursor: Option<&str>, token: &Token) -> HttpResponse {
    let mut text = String::with_capacity(items.iter().map(|item| item.body.len() + 1).sum::<usize>() + 64);
    text.push_str("{\"items\":[");
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        text.push_str(&whole(item));
    }
    text.push_str("],\"next_cursor\":");
    text.push_str(&json!(next_cursor).to_string());
    text.push('}');
    let mut response = stored(StatusCode::OK, text);
    stamp(&mut response, token);
    response
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use storage::documents::{Parked, Stored};

    use super::whole;

    #[test]
    fn what_is_parked_says_so_and_nothing_else_is_touched() {
        let mut stored =
            Stored { key: "k".to_owned(), position: 1, body: "{ \"b\": 1,\"a\":2}".to_owned(), parked: None };
        assert_eq!(whole(&stored), stored.body);
        stored.parked = Some(Parked { at: 7, why: "a \"quote\"".to_owned() });
        let read = |stored: &Stored| serde_json::from_str::<Value>(&whole(stored)).unwrap();
        assert_eq!(read(&stored), json!({ "b": 1, "a": 2, "parked": { "at": 7, "why": "a \"quote\"" } }));
        stored.body = "{}".to_owned();
        assert_eq!(read(&stored)["parked"]["at"], 7);
    }
}
