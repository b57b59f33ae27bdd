//! Every crate that we link, build with or test with has a licence that we may live with.

use crate::metadata::Graph;

const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Whether an SPDX expression leaves us a choice that is allowed. None where it does not parse.
fn is_allowed(expression: &str) -> Option<bool> {
    // Before SPDX, a slash meant "or".
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (allowed, rest) = any_of(&words)?;
    rest.is_empty().then_some(allowed)
}

type Parsed<'w, 't> = Option<(bool, &'w [&'t str])>;

fn any_of<'w, 't>(words: &'w [&'t str]) -> Parsed<'w, 't> {
    let (mut allowed, mut rest) = all_of(words)?;
    while let ["OR", more @ ..] = rest {
        let (also, after) = all_of(more)?;
        (allowed, rest) = (allowed | also, after);
    }
    Some((allowed, rest))
}

fn all_of<'w, 't>(words: &'w [&'t str]) -> Parsed<'w, 't> {
    let (mut allowed, mut rest) = one(words)?;
    while let ["AND", more @ ..] = rest {
        let (also, after) = one(more)?;
        (allowed, rest) = (allowed & also, after);
    }
    Some((allowed, rest))
}

fn one<'w, 't>(words: &'w [&'t str]) -> Parsed<'w, 't> {
    match words {
        ["(", inner @ ..] => {
            let (allowed, rest) = any_of(inner)?;
            let [")", rest @ ..] = rest else { return None };
            Some((allowed, rest))
        }
        [")" | "OR" | "AND" | "WITH", ..] | [] => None,
        [licence, "WITH", exception, rest @ ..] => {
            Some((ALLOWED.contains(&format!("{licence} WITH {exception}").as_str()), rest))
        }
        [licence, rest @ ..] => Some((ALLOWED.contains(licence), rest)),
    }
}

fn unacceptable(graph: &Graph) -> Vec<String> {
    let licence = |text: &Option<String>| text.as_deref().and_then(is_allowed).unwrap_or(false);
    let refused = graph.licences.iter().filter(|(_, text)| !licence(text));
    refused.map(|(name, text)| format!("{name}: {}", text.as_deref().unwrap_or("no licence"))).collect()
}

#[test]
fn every_licence_is_one_that_we_may_live_with() {
    assert!(Graph::ours().licences.len() > 100, "the whole graph");
    assert_eq!(unacceptable(Graph::ours()), Vec::<String>::new());
}

#[test]
fn a_licence_that_we_may_not_live_with_is_seen() {
    for refused in [Some("GPL-3.0-only"), Some("MIT AND AGPL-3.0-only"), Some("Business Source"), Some(""), None] {
        let mut graph = Graph::ours().clone();
        graph.licences.insert("bad 1.0.0".to_owned(), refused.map(str::to_owned));
        assert_eq!(unacceptable(&graph).len(), 1, "{refused:?}");
    }
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "(GPL-2.0-only OR MIT) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
        "MIT AND MIT OR GPL-2.0-only AND MIT",
    ] {
        assert_eq!(is_allowed(good), Some(true), "{good}");
    }
    for bad in
        ["GPL-3.0-only", "MIT AND GPL-3.0-only", "MIT AND (GPL-2.0-only OR LGPL-3.0-only)", "GPL-2.0-only WITH x"]
    {
        assert_eq!(is_allowed(bad), Some(false), "{bad}");
    }
    for nonsense in ["", "MIT OR", "(MIT", "MIT)", "AND MIT", "MIT MIT"] {
        assert_eq!(is_allowed(nonsense), None, "{nonsense}");
    }
}
