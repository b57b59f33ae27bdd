//! Request headers that mean something to us, checked.

use actix_web::http::header::{HeaderMap, IF_MATCH, IF_NONE_MATCH};
use domain::ids::is_sound;
use storage::Token;

use crate::problem::Problem;

pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
pub(crate) const MIN_POSITION: &str = "pagefree-min-position";
pub(crate) const POSITION: &str = "pagefree-position";
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// Characters of an idempotency key.
const KEY_CHARACTERS: std::ops::RangeInclusive<usize> = 1..=255;

/// The one value of a header; two are a fault, because somebody on the way may believe the other one.
fn single<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    let fault = |message| Problem::fault(format!("/header/{name}"), message);
    if values.next().is_some() {
        return Err(fault("must be sent once"));
    }
    value.to_str().map(Some).map_err(|_| fault("must be visible ASCII"))
}

pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(key) = single(headers, IDEMPOTENCY_KEY)? else { return Ok(None) };
    if KEY_CHARACTERS.contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(Some(key))
    } else {
        Err(Problem::fault(format!("/header/{IDEMPOTENCY_KEY}"), "must have 1 to 255 visible ASCII characters"))
    }
}

/// The version that If-Match names. `*` asks only that the thing exists, which every command asks anyway. A weak or
/// foreign tag never matches (RFC 9110, 13.1.1): no aggregate reaches the version that stands for it.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = single(headers, IF_MATCH.as_str())? else { return Ok(None) };
    match value.trim() {
        "*" => Ok(None),
        tag => entity_tag(tag).map(Some).ok_or_else(|| {
            Problem::fault("/header/if-match", "must be one entity tag, as an ETag gave it: \"7\"; or *")
        }),
    }
}

fn entity_tag(tag: &str) -> Option<u64> {
    let (weak, tag) = tag.strip_prefix("W/").map_or((false, tag), |tag| (true, tag));
    let opaque = tag.strip_prefix('"')?.strip_suffix('"')?;
    if opaque.contains('"') {
        return None;
    }
    let canonical = |version: &u64| !weak && version.to_string() == opaque;
    Some(opaque.parse().ok().filter(canonical).unwrap_or(u64::MAX))
}

/// Whether the client has this version already.
pub(crate) fn has_already(headers: &HeaderMap, version: u64) -> bool {
    let tag = format!("\"{version}\"");
    let values = headers.get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

pub(crate) fn min_position(headers: &HeaderMap) -> Result<Option<Token>, Problem> {
    let Some(value) = single(headers, MIN_POSITION)? else { return Ok(None) };
    value.parse().map(Some).map_err(|error: String| Problem::fault(format!("/header/{MIN_POSITION}"), error))
}

/// The request's id as the caller gave it, if it can stand in a log line.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(REQUEST_ID)?.to_str().ok().filter(|id| is_sound(id))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    use super::{has_already, idempotency_key, if_match, min_position, request_id};

    fn headers(name: &'static str, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn if_match_names_one_version() {
        let of = |value| if_match(&headers("if-match", &[value])).map_err(drop);
        assert_eq!(of("\"7\""), Ok(Some(7)));
        assert_eq!(of("*"), Ok(None));
        for foreign in ["W/\"7\"", "\"abc\"", "\"07\"", "\"\"", "\"-1\"", "\"99999999999999999999\""] {
            assert_eq!(of(foreign), Ok(Some(u64::MAX)), "{foreign}");
        }
        for wrong in ["7", "", "\"7", "\"7\", \"8\"", "7\""] {
            assert_eq!(of(wrong), Err(()), "{wrong}");
        }
        assert!(if_match(&headers("if-match", &["\"7\"", "\"7\""])).is_err());
    }

    #[test]
    fn keys_are_visible_ascii() {
        assert_eq!(idempotency_key(&headers("idempotency-key", &["a-1!"])).map_err(drop), Ok(Some("a-1!")));
        for wrong in ["", "a b"] {
            assert!(idempotency_key(&headers("idempotency-key", &[wrong])).is_err(), "{wrong}");
        }
        let long: &'static str = Box::leak("k".repeat(256).into_boxed_str());
        assert!(idempotency_key(&headers("idempotency-key", &[long])).is_err());
        assert!(idempotency_key(&headers("idempotency-key", &[&long[1..]])).is_ok());
    }

    #[test]
    fn a_known_version_is_known_in_every_spelling() {
        for known in ["\"3\"", "W/\"3\"", "\"1\", \"3\"", "*"] {
            assert!(has_already(&headers("if-none-match", &[known]), 3), "{known}");
        }
        assert!(!has_already(&headers("if-none-match", &["\"4\", 3"]), 3));
    }

    #[test]
    fn positions_and_request_ids_are_checked() {
        assert!(min_position(&headers("pagefree-min-position", &["abc:7"])).is_ok());
        assert!(min_position(&headers("pagefree-min-position", &["7"])).is_err());
        assert_eq!(request_id(&headers("x-request-id", &["r-1"])), Some("r-1"));
        assert_eq!(request_id(&headers("x-request-id", &["r 1"])), None);
    }
}
