//! Bodies: how large, how slow, how deep and in what they may be written, before anything looks at what they say.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use domain::Fault;
use futures_util::StreamExt;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::problem::Problem;

pub(crate) const BODY_BYTES: usize = 1 << 20;
/// From the first to the last byte.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Objects and arrays within each other. The parser itself stops at 128.
const DEPTH: usize = 64;

/// The bytes of a body.
pub(crate) async fn receive(request: &HttpRequest, payload: Payload) -> Result<Vec<u8>, Problem> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > BODY_BYTES as u64) {
        return Err(Problem::too_large(BODY_BYTES));
    }
    timeout(BODY_TIME, collect(payload)).await.map_err(|_| Problem::too_slow())?
}

async fn collect(mut payload: Payload) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(Problem::unreadable)?;
        if body.len() + chunk.len() > BODY_BYTES {
            return Err(Problem::too_large(BODY_BYTES));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a body says; one that is not there says `{}`.
pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Value, Problem> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    if !is_json(headers) {
        return Err(Problem::media_type());
    }
    if is_deeper_than(body, DEPTH) {
        return Err(Problem::fault("", format!("is nested more than {DEPTH} levels deep")));
    }
    let value = serde_json::from_slice(body).map_err(Problem::unreadable)?;
    let mut faults = Vec::new();
    find_nul(&value, "", &mut faults);
    if faults.is_empty() { Ok(value) } else { Err(Problem::invalid(faults)) }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let charset = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let utf8 = charset.is_none_or(|(_, charset)| charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8"));
    essence.eq_ignore_ascii_case("application/json") && utf8
}

/// Whether brackets outside of strings nest deeper than `most`. Looks at bytes: nothing has been parsed yet.
fn is_deeper_than(body: &[u8], most: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// No text column of ours stores a NUL, so none is let in.
fn find_nul(value: &Value, at: &str, faults: &mut Vec<Fault>) {
    match value {
        Value::String(text) if text.contains('\0') => {
            faults.push(Fault::new(at, "must not contain the NUL character"));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_nul(item, &format!("{at}/{index}"), faults);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                if name.contains('\0') {
                    faults.push(Fault::new(&at, "must not have the NUL character in its name"));
                }
                find_nul(item, &at, faults);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
    use serde_json::json;

    use super::{is_deeper_than, is_json, read};

    fn typed(media_type: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers
    }

    #[test]
    fn only_json_in_utf8_is_json() {
        for good in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""] {
            assert!(is_json(&typed(good)), "{good}");
        }
        for bad in ["text/plain", "application/json; charset=latin1", "application/merge-patch+json", ""] {
            assert!(!is_json(&typed(bad)), "{bad}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn depth_counts_brackets_outside_of_strings() {
        assert!(!is_deeper_than(br#"{"a":["[[[[","\"[[["]}"#, 2));
        assert!(is_deeper_than(br#"{"a":[[]]}"#, 2));
        assert!(!is_deeper_than(b"[][][]", 1));
    }

    #[test]
    fn no_body_says_nothing_and_nul_is_refused_wherever_it_stands() {
        assert_eq!(read(&HeaderMap::new(), b"").unwrap(), json!({}));
        let headers = typed("application/json");
        assert_eq!(read(&headers, br#"{"a":1}"#).unwrap(), json!({"a": 1}));
        for bad in [&br#"{"a":"\u0000"}"#[..], br#"{"\u0000":1}"#, br#"[["\u0000"]]"#, b"{", b"\xff", br#""\ud800""#] {
            assert!(read(&headers, bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
