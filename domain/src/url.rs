//! The little that a pure check must know about web addresses. Whether one may be called is decided where it is
//! called, on what it resolves to.

/// What stands between `http://` or `https://` and the path, in any case; nothing where it is not such an address.
pub(crate) fn authority(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    // A backslash ends the authority too: browsers and most clients read it as a slash.
    rest.split(['/', '?', '#', '\\']).next()
}

/// The host, with its port.
pub(crate) fn host(url: &str) -> Option<&str> {
    authority(url).map(|authority| authority.rsplit('@').next().unwrap_or(authority))
}

/// Whether any address within `text` carries a user name or a password, whatever its scheme (`postgres://u:p@h`).
pub(crate) fn has_userinfo(text: &str) -> bool {
    userinfos(text).next().is_some()
}

/// The same for program text, where `https://$USER:$KEY@host` gives nothing away.
pub(crate) fn has_literal_userinfo(text: &str) -> bool {
    userinfos(text).any(|userinfo| !userinfo.contains(['$', '{', '<']))
}

fn userinfos(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("://").filter_map(|(at, _)| {
        let rest = &text[at + 3..];
        let end = rest.find(|c: char| matches!(c, '/' | '?' | '#' | '\\' | '"' | '\'') || c.is_whitespace());
        rest[..end.unwrap_or(rest.len())].rsplit_once('@').map(|(userinfo, _)| userinfo)
    })
}
