//! Terms: what documents are found by. They come normalised; here they are only encoded, so that both databases find
//! the same, byte for byte.

use crate::hex::hex_of;

/// A longer term, an empty one, and one with a NUL, are left out of a document, and found in none.
pub const MAX_TERM: usize = 200;

/// The bytes of all terms of a document together; what comes beyond them is left out.
pub const MAX_TERMS: usize = 512 * 1024;

/// The terms that a document is found by: each once, in order.
pub(super) fn kept(terms: &[String]) -> Vec<&str> {
    let mut room = MAX_TERMS;
    let fits = |term: &&str| {
        let before = room;
        room = room.saturating_sub(term.len());
        term.len() <= before
    };
    let mut kept: Vec<&str> = terms.iter().map(String::as_str).filter(|term| is_term(term)).take_while(fits).collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

pub(super) fn is_term(text: &str) -> bool {
    (1..=MAX_TERM).contains(&text.len()) && !text.contains('\0')
}

/// A `tsvector` as PostgreSQL reads it.
pub(super) fn tsvector(terms: &[String]) -> String {
    let mut text = String::new();
    for term in kept(terms) {
        if !text.is_empty() {
            text.push(' ');
        }
        quote(&mut text, term);
    }
    text
}

/// A `tsquery` that finds what has all of the terms, and one that begins with `prefix`.
pub(super) fn tsquery(terms: &[String], prefix: Option<&str>) -> String {
    let mut text = String::new();
    for term in terms.iter().map(String::as_str).chain(prefix) {
        if !text.is_empty() {
            text.push_str(" & ");
        }
        quote(&mut text, term);
    }
    if prefix.is_some() {
        text.push_str(":*");
    }
    text
}

fn quote(text: &mut String, term: &str) {
    text.push('\'');
    for c in term.chars() {
        if matches!(c, '\'' | '\\') {
            text.push(c);
        }
        text.push(c);
    }
    text.push('\'');
}

/// The terms as words that no tokeniser takes apart: hexadecimal, with a blank between them.
pub(super) fn words(terms: &[String]) -> String {
    let mut text = String::new();
    for term in kept(terms) {
        if !text.is_empty() {
            text.push(' ');
        }
        for digit in term.bytes().flat_map(|byte| [byte >> 4, byte & 15]) {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}

/// The terms of which `words` were made.
pub(super) fn of_words(words: &str) -> Vec<String> {
    let bytes = |word: &str| -> Vec<u8> {
        let digits = word.as_bytes().chunks_exact(2);
        digits.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
    };
    words.split_ascii_whitespace().map(|word| String::from_utf8_lossy(&bytes(word)).into_owned()).collect()
}

/// An FTS5 query that finds what [`tsquery`] does.
pub(super) fn fts5(terms: &[String], prefix: Option<&str>) -> String {
    let mut words: Vec<String> = terms.iter().map(|term| format!("\"{}\"", hex_of(term.as_bytes()))).collect();
    words.extend(prefix.map(|prefix| format!("\"{}\"*", hex_of(prefix.as_bytes()))));
    words.join(" AND ")
}

#[cfg(test)]
mod tests {
    use super::{MAX_TERMS, fts5, kept, of_words, tsquery, tsvector, words};

    fn owned(terms: &[&str]) -> Vec<String> {
        terms.iter().map(|&term| term.to_owned()).collect()
    }

    #[test]
    fn what_is_no_term_is_left_out() {
        let long = "x".repeat(201);
        let terms = owned(&["b", "", "a", "nul\0", &long, &long[1..], "a"]);
        assert_eq!(kept(&terms), ["a", "b", &long[1..]]);
    }

    #[test]
    fn what_comes_beyond_the_bound_is_left_out() {
        let terms: Vec<String> = (0..10_000).map(|n| format!("{n:0>200}")).collect();
        assert_eq!(kept(&terms).len(), MAX_TERMS / 200);
    }

    #[test]
    fn terms_are_quoted_for_both() {
        let terms = owned(&["it's", "a\\b", "über"]);
        assert_eq!(tsvector(&terms), r"'a\\b' 'it''s' 'über'");
        assert_eq!(tsquery(&terms[..1], Some("a\\")), r"'it''s' & 'a\\':*");
        assert_eq!(words(&owned(&["a", "ü"])), "61 c3bc");
        assert_eq!(of_words("61 c3bc"), ["a", "ü"]);
        assert_eq!(fts5(&owned(&["a"]), Some("ü")), "\"61\" AND \"c3bc\"*");
    }
}
