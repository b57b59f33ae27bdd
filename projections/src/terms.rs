//! What documents are found by: words, normalised here so that both databases find the same, and facets, which are
//! exact: a tag, a label, a person.

use std::collections::BTreeSet;

use storage::documents::MAX_TERM;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;

/// Words of one document at most; the rest of a very long text is not found.
const WORDS: usize = 2_000;
/// Characters of a word that count.
const WORD_CHARACTERS: usize = 40;
/// The namespace of what stands for long facets. Never changes.
const LONG: Uuid = Uuid::from_u128(0x7465_726d_7320_4000_8000_7061_6765_6672);

/// The words of `texts`, each once: in lower case, without accents, split at everything that is no letter or digit.
pub fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for text in texts {
        // Before anything is made of it: a note may have a megabyte.
        for word in plain(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            if words.len() == WORDS {
                return words;
            }
            words.insert(word.chars().take(WORD_CHARACTERS).collect());
        }
    }
    words
}

/// A property with an exact value. No word contains the sign between the two. What is too long for a term is found by
/// what stands for it.
pub fn facet(name: &str, value: &str) -> String {
    let facet = format!("{name}:{value}");
    if facet.len() <= MAX_TERM { facet } else { format!("{name}:#{}", Uuid::new_v5(&LONG, facet.as_bytes())) }
}

/// What somebody typed as the terms to look for; the last one may be the beginning of a word, if nothing follows it.
pub fn typed(text: &str) -> (Vec<String>, Option<String>) {
    let plain = plain(text);
    let mut words: Vec<String> = Vec::new();
    for word in plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        words.push(word.chars().take(WORD_CHARACTERS).collect());
    }
    let unfinished = plain.ends_with(char::is_alphanumeric);
    let prefix = if unfinished { words.pop() } else { None };
    (words, prefix)
}

fn plain(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Lower case first and last: some capitals only come apart into what has a lower case.
    let lower = |c: char| c.to_lowercase();
    text.chars().flat_map(lower).nfkd().filter(|c| !is_combining_mark(*c)).flat_map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::{facet, typed, words};

    fn of(text: &str) -> Vec<String> {
        words([text]).into_iter().collect()
    }

    #[test]
    fn words_lose_case_accents_and_what_stands_between_them() {
        assert_eq!(of("Checkout DOWN, checkout-eu (2nd time)!"), ["2nd", "checkout", "down", "eu", "time"]);
        assert_eq!(of("Zürich, Ångström, ﬁx, İstanbul"), ["angstrom", "fix", "istanbul", "zurich"]);
        assert_eq!(of("データベース 停止"), of("テ\u{3099}ータヘ\u{3099}ース　停止"));
        assert_eq!(of(" \t—…"), Vec::<String>::new());
    }

    #[test]
    fn the_last_word_typed_may_go_on() {
        let some = |word: &str| Some(word.to_owned());
        assert_eq!(typed("Payment ser"), (vec!["payment".to_owned()], some("ser")));
        assert_eq!(typed("payment "), (vec!["payment".to_owned()], None));
        assert_eq!(typed("…"), (vec![], None));
    }

    #[test]
    fn bounds_hold_and_facets_are_no_words() {
        assert_eq!(of(&"x".repeat(1_000))[0].len(), 40);
        let many = (0..5_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(words([many.as_str()]).len(), 2_000);
        assert!(!of("tag:eu").contains(&facet("tag", "eu")));
        let long = |end: &str| facet("label", &format!("{}{end}", "é".repeat(200)));
        assert!(long("a").len() < 100 && long("a") != long("b"));
        assert_eq!(long("a"), long("a"));
    }
}
