//! The walls of the house: who may import whom, and what stands in one room only. Transitively, over what is linked.

use crate::metadata::{Graph, cargo};

/// `ARCHITECTURE.md`'s table. What a room may import, directly or through others; of ours only.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ledger", &[]),
    ("storage", &[]),
    ("vault", &["domain", "storage"]),
    ("commands", &["vault", "domain", "storage"]),
    ("projections", &["domain", "storage"]),
    ("connectors", &["domain"]),
    ("reactions", &["commands", "projections", "connectors", "vault", "ledger", "storage", "domain"]),
    ("replay", &["projections", "ledger", "storage", "domain"]),
    ("api", &["commands", "projections", "replay", "vault", "ledger", "storage", "domain", "connectors"]),
    (
        "pagefree",
        &[
            "api",
            "commands",
            "projections",
            "replay",
            "reactions",
            "connectors",
            "vault",
            "ledger",
            "storage",
            "domain",
        ],
    ),
];
/// What the tests stand on. Nobody links it.
const BELOW_THE_TESTS: &[&str] = &["testbed", "histories"];

/// Crates that only one room names as its own dependency.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("api", &["actix-web", "actix-http", "actix-server"]),
    ("storage", &["sqlx", "sqlx-core", "sqlx-postgres", "sqlx-sqlite", "libsqlite3-sys", "rusqlite", "tokio-postgres"]),
];
/// What speaks to the outside by itself; reached through `connectors` only.
const OUTBOUND: &[&str] =
    &["reqwest", "hyper-util", "ureq", "isahc", "curl", "awc", "surf", "attohttpc", "lettre", "web-push-native"];
/// What has no place under a pure room. Not looked for below tokio, which cqrs-es brings: other rooms switch its
/// features on, and `the_domain_brings_no_runtime_and_no_network` sees which ones the domain does.
const IMPURE: &[&str] = &["mio", "socket2", "sqlx", "actix-web", "reqwest"];
/// What a pure room may not name itself, though a hash map far below may seed itself with it.
const RANDOM: &[&str] = &["getrandom", "rand", "fastrand"];
const PURE: &[&str] = &["domain", "ledger"];

/// Every breach, in words.
fn breaches(graph: &Graph) -> Vec<String> {
    let mut breaches = Vec::new();
    for member in graph.members.iter().filter(|member| !BELOW_THE_TESTS.contains(&member.as_str())) {
        let Some((_, may)) = ROOMS.iter().find(|(room, _)| room == member) else {
            breaches.push(format!("{member} is a room that the table does not know"));
            continue;
        };
        let reached = graph.reached(member, "");
        for dep in reached.iter().filter(|dep| graph.members.contains(*dep) && !may.contains(&dep.as_str())) {
            breaches.push(format!("{member} imports {dep}"));
        }
        let direct = &graph.normal[member];
        for (room, crates) in ONLY_IN.iter().filter(|(room, _)| room != member) {
            for dep in crates.iter().filter(|dep| direct.contains(**dep)) {
                breaches.push(format!("{member} uses {dep}, which is for {room}"));
            }
        }
        if member != "connectors" {
            let reached = graph.reached(member, "connectors");
            for dep in OUTBOUND.iter().filter(|dep| reached.contains(**dep)) {
                breaches.push(format!("{member} can call out, by {dep}"));
            }
        }
        if PURE.contains(&member.as_str()) {
            let reached = graph.reached(member, "tokio");
            let random = RANDOM.iter().filter(|dep| direct.contains(**dep));
            for dep in IMPURE.iter().filter(|dep| reached.contains(**dep)).chain(random) {
                breaches.push(format!("{member} is pure, but links {dep}"));
            }
        }
    }
    breaches
}

#[test]
fn the_walls_stand() {
    assert_eq!(breaches(Graph::ours()), Vec::<String>::new());
}

#[test]
fn a_hole_in_any_wall_is_seen() {
    let holes = [
        ("domain", "storage", "domain imports storage"),
        ("storage", "domain", "storage imports domain"),
        ("projections", "commands", "projections imports commands"),
        ("projections", "api", "projections imports api"),
        ("projections", "vault", "projections imports vault"),
        ("replay", "vault", "replay imports vault"),
        ("vault", "commands", "vault imports commands"),
        ("commands", "actix-web", "commands uses actix-web, which is for api"),
        ("api", "sqlx", "api uses sqlx, which is for storage"),
        ("commands", "reqwest", "commands can call out, by reqwest"),
        // Through somebody else's crate.
        ("serde_json", "reqwest", "storage can call out, by reqwest"),
        ("serde_json", "mio", "domain is pure, but links mio"),
        ("domain", "getrandom", "domain is pure, but links getrandom"),
        ("domain", "testbed", "domain imports testbed"),
    ];
    for (from, to, expected) in holes {
        let mut graph = Graph::ours().clone();
        graph.normal.get_mut(from).unwrap().insert(to.to_owned());
        let found = breaches(&graph);
        assert!(found.iter().any(|breach| breach == expected), "{from} -> {to}: {found:?}");
    }
    let mut graph = Graph::ours().clone();
    graph.members.insert("attic".to_owned());
    graph.normal.insert("attic".to_owned(), [].into());
    assert_eq!(breaches(&graph), ["attic is a room that the table does not know"]);
}

/// Rooms that come later: the walls around them are checked with the first line in them.
#[test]
fn history_can_be_replayed_without_calling_anybody() {
    let mut graph = Graph::ours().clone();
    for (room, deps) in [("connectors", &["domain", "reqwest"][..]), ("replay", &["projections"]), ("reactions", &[])] {
        graph.members.insert(room.to_owned());
        graph.normal.insert(room.to_owned(), deps.iter().map(|dep| (*dep).to_owned()).collect());
    }
    assert_eq!(breaches(&graph), Vec::<String>::new());
    for (from, to) in [("replay", "connectors"), ("projections", "connectors"), ("replay", "reactions")] {
        let mut graph = graph.clone();
        graph.normal.get_mut(from).unwrap().insert(to.to_owned());
        assert!(breaches(&graph).contains(&format!("{from} imports {to}")));
    }
}

/// cqrs-es brings tokio into the domain; with what features is what `cargo` resolves for the domain alone.
fn tokio_under_the_domain() -> Vec<String> {
    let tree = cargo(&["tree", "-p", "domain", "-e", "normal", "--prefix", "none", "-f", "{p}|{f}"]);
    let features = tree.lines().filter_map(|line| line.strip_prefix("tokio v")?.split_once('|'));
    features.flat_map(|(_, features)| features.split(',')).map(str::to_owned).filter(|f| !f.is_empty()).collect()
}

#[test]
fn the_domain_brings_no_runtime_and_no_network() {
    let features = tokio_under_the_domain();
    for forbidden in ["net", "fs", "process", "signal", "time", "rt-multi-thread", "full"] {
        assert!(!features.iter().any(|feature| feature == forbidden), "tokio/{forbidden}: {features:?}");
    }
}
