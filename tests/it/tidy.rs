//! The style that can be checked: how files open, how long they are, what they must not contain.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file at most. Most should stay far below.
const LINES: usize = 600;
const DRAWERS: &[&str] = &["utils", "util", "common", "helpers", "helper", "types", "manager", "misc"];
/// What no code contains. Attributes and macros that silence, postpone or forget.
const FORBIDDEN: &[&str] =
    &["#[allow", "#![allow", "todo!", "unimplemented!", "dbg!", "#[ignore", "std::thread::sleep(Duration::from_secs"];
/// What statements of SQL begin with.
const STATEMENTS: &[&str] = &["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE "];
/// Folders of people and machines that nobody else has.
const PERSONAL: &[&str] = &["/home/", "/Users/", "/root/", "/work/"];

/// A source file taken apart: what is executed, and what it only says.
#[derive(Debug, Default)]
struct Parts {
    /// Without comments, and with empty literals.
    code: String,
    literals: Vec<String>,
}

/// Not a parser, but it knows comments, strings, raw strings and characters apart.
fn take_apart(source: &str) -> Parts {
    let mut parts = Parts::default();
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let raw = rest.strip_prefix('r').filter(|_| !parts.code.ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        let hashes = raw.map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            parts.code.push('\n');
        } else if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, after)| after);
        } else if let Some(body) = raw.and_then(|raw| raw[hashes..].strip_prefix('"')) {
            let end = format!("\"{}", "#".repeat(hashes));
            let (literal, after) = body.split_once(&end).unwrap_or((body, ""));
            parts.literals.push(literal.to_owned());
            rest = after;
        } else if let Some(body) = rest.strip_prefix('"') {
            let end = string_end(body);
            parts.literals.push(body[..end].to_owned());
            rest = body.get(end + 1..).unwrap_or("");
        } else if let Some(length) = character(rest) {
            rest = &rest[length..];
        } else {
            parts.code.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    parts
}

fn string_end(body: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in body.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index,
            _ => {}
        }
    }
    body.len()
}

/// The length of a character literal; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let mut chars = body.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        return body[2..].find('\'').map(|end| end + 4);
    }
    let (end, quote) = chars.next()?;
    (quote == '\'').then_some(end + 2)
}

/// What is untidy in one file.
fn untidy(path: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut complain = |what: String| found.push(format!("{path}: {what}"));
    if !source.starts_with("//! ") {
        complain("does not open with what lives here (//!)".to_owned());
    }
    let lines = source.lines().count();
    if lines > LINES {
        complain(format!("has {lines} lines; split it by meaning, at most {LINES}"));
    }
    let name = Path::new(path).file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let folders = Path::new(path).parent().into_iter().flat_map(Path::components);
    for drawer in DRAWERS.iter().filter(|drawer| name == **drawer || folders.clone().any(|f| f.as_os_str() == **drawer))
    {
        complain(format!("'{drawer}' is a drawer, not a name"));
    }
    let parts = take_apart(source);
    for forbidden in FORBIDDEN.iter().filter(|forbidden| parts.code.contains(**forbidden)) {
        complain(format!("contains {forbidden}"));
    }
    let may_speak_sql =
        ["storage/", "tests/", "bench/"].iter().any(|place| path.starts_with(place)) || path.contains("/tests/");
    let tests_of_its_own = source.find("#[cfg(test)]").unwrap_or(source.len());
    if !may_speak_sql {
        for literal in take_apart(&source[..tests_of_its_own]).literals {
            if STATEMENTS.iter().any(|statement| literal.trim_start().starts_with(statement)) {
                complain(format!("speaks SQL outside of storage: {literal:?}"));
            }
        }
    }
    for personal in PERSONAL.iter().filter(|personal| parts.literals.iter().any(|l| goes_into(l, personal))) {
        complain(format!("names a folder under {personal}, which others do not have"));
    }
    found
}

fn goes_into(literal: &str, folder: &str) -> bool {
    literal.strip_prefix(folder).is_some_and(|rest| !rest.is_empty())
}

fn source_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !name.starts_with('.') && !["target", "node_modules", "data"].contains(&name) {
            source_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    source_files(root, &mut files);
    assert!(files.len() > 100, "all of them");
    let mut found = Vec::new();
    for file in files {
        let path = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        found.extend(untidy(&path, &fs::read_to_string(&file).unwrap()));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_untidiness_is_seen() {
    let open = "//! Here.\n";
    let cases = [
        ("domain/src/x.rs", "fn main() {}".to_owned(), "does not open"),
        ("domain/src/x.rs", format!("{open}{}", "\n".repeat(LINES)), "lines"),
        ("domain/src/utils.rs", open.to_owned(), "drawer"),
        ("domain/src/helpers/x.rs", open.to_owned(), "drawer"),
        ("domain/src/x.rs", format!("{open}#[allow(dead_code)]"), "#[allow"),
        ("domain/src/x.rs", format!("{open}fn f() {{ todo!() }}"), "todo!"),
        ("domain/tests/it/x.rs", format!("{open}#[ignore]"), "#[ignore"),
        ("api/src/x.rs", format!("{open}const Q: &str = \"SELECT 1\";"), "SQL"),
        ("api/src/x.rs", format!("{open}const Q: &str = r#\"\n  UPDATE t\"#;"), "SQL"),
        ("api/src/x.rs", format!("{open}const P: &str = \"/home/ann\";"), "folder"),
    ];
    for (path, source, expected) in cases {
        let found = untidy(path, &source);
        assert!(found.len() == 1 && found[0].contains(expected), "{path} {source:?}: {found:?}");
    }
}

#[test]
fn what_is_only_said_is_not_seen() {
    let fine = [
        "//! Here: todo!, #[allow(x)], SELECT 1.\nfn f<'a>(x: &'a str) -> char { '\"' }\n// dbg!(x)",
        "//! Here.\nconst A: &str = \"todo! \\\" #[allow\";\nconst B: &str = r\"dbg!\";\nconst C: char = '\\'';",
        "//! Here.\n#[cfg(test)]\nmod tests { const Q: &str = \"SELECT 1\"; }",
    ];
    for source in fine {
        assert_eq!(untidy("domain/src/x.rs", source), Vec::<String>::new(), "{source}");
    }
    assert_eq!(untidy("storage/src/x.rs", "//! Here.\nconst Q: &str = \"SELECT 1\";"), Vec::<String>::new());
}
