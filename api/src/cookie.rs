//! The cookie that holds a session's secret. Over https it is bound to this host and never sent in clear; scripts never
//! see it.

use actix_web::HttpResponse;
use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use actix_web::web;

use crate::public_url::PublicUrl;

/// Over https; a browser takes a cookie of such a name only from this very host, over https, for all paths.
const SECURE: &str = "__Host-pagefree";
/// Over http, for trying things out.
const PLAIN: &str = "pagefree";

/// The secret of the session that a request is sent in. Over https only the bound name counts: any host beside this one
/// could have planted the other.
pub(crate) fn session(headers: &HeaderMap, url: &PublicUrl) -> Option<String> {
    let wanted = if is_secure(url) { SECURE } else { PLAIN };
    let pairs = headers.get_all(COOKIE).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let mut found = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == wanted);
    let secret = found.next()?.1;
    Some(secret.to_owned()).filter(|secret| !secret.is_empty() && secret.len() <= 512)
}

/// Lets the browser keep the secret.
pub(crate) fn keep(response: &mut HttpResponse, url: &web::Data<PublicUrl>, secret: &str, seconds: i64) {
    set(response, is_secure(url), secret, seconds);
}

/// Lets the browser forget it.
pub(crate) fn forget(response: &mut HttpResponse, url: &web::Data<PublicUrl>) {
    set(response, is_secure(url), "", 0);
}

fn is_secure(url: &PublicUrl) -> bool {
    url.base().starts_with("https://")
}

fn set(response: &mut HttpResponse, secure: bool, secret: &str, seconds: i64) {
    let (name, flag) = if secure { (SECURE, "; Secure") } else { (PLAIN, "") };
    let text = format!("{name}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{flag}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::HttpResponse;
    use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
    use actix_web::web::Data;

    use super::{forget, keep, session};
    use crate::public_url::PublicUrl;

    fn at(url: &str) -> Data<PublicUrl> {
        let public = PublicUrl::default();
        public.set(url.to_owned());
        Data::new(public)
    }

    fn sent(url: &str, values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(COOKIE, HeaderValue::from_static(value));
        }
        session(&headers, &at(url))
    }

    #[test]
    fn over_https_only_the_bound_cookie_counts() {
        let (http, https) = ("http://a.example", "https://a.example");
        assert_eq!(sent(http, &["a=b; pagefree=one"]).as_deref(), Some("one"));
        assert_eq!(sent(https, &["a=b; pagefree=one"]), None, "planted by a host beside this one");
        assert_eq!(sent(https, &["pagefree=one", "__Host-pagefree=two"]).as_deref(), Some("two"));
        assert_eq!((sent(http, &[]), sent(http, &["pagefree="]), sent(http, &["notpagefree=x"])), (None, None, None));
    }

    #[test]
    fn scripts_never_see_it_and_https_binds_it() {
        let text = |url: &str| {
            let mut response = HttpResponse::Ok().finish();
            keep(&mut response, &at(url), "s", 60);
            response.headers().get(SET_COOKIE).unwrap().to_str().unwrap().to_owned()
        };
        let expected = "__Host-pagefree=s; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(text("https://a.example"), expected);
        assert_eq!(text("http://a.example"), "pagefree=s; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
        let mut response = HttpResponse::Ok().finish();
        forget(&mut response, &at("http://a"));
        assert!(response.headers().get(SET_COOKIE).unwrap().to_str().unwrap().contains("Max-Age=0"));
    }
}
