//! The graph of crates as `cargo metadata` resolves it for this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// Crates by name; where a name occurs in several versions they are taken together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    /// Ours.
    pub(crate) members: BTreeSet<String>,
    /// Without what is for tests or for building only.
    pub(crate) normal: BTreeMap<String, BTreeSet<String>>,
    /// Name and version to licence.
    pub(crate) licences: BTreeMap<String, Option<String>>,
}

pub(crate) fn cargo(arguments: &[&str]) -> String {
    let done = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(done.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn host() -> String {
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(version.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

impl Graph {
    pub(crate) fn ours() -> &'static Self {
        static OURS: OnceLock<Graph> = OnceLock::new();
        OURS.get_or_init(|| {
            let text = cargo(&["metadata", "--format-version", "1", "--filter-platform", &host()]);
            Self::read(&serde_json::from_str(&text).unwrap())
        })
    }

    fn read(metadata: &Value) -> Self {
        let mut graph = Self::default();
        let mut names = BTreeMap::new();
        for package in metadata["packages"].as_array().unwrap() {
            let text = |field: &str| package[field].as_str().unwrap().to_owned();
            names.insert(text("id"), text("name"));
            let licence = package["license"].as_str().map(str::to_owned);
            graph.licences.insert(format!("{} {}", text("name"), text("version")), licence);
        }
        for member in metadata["workspace_members"].as_array().unwrap() {
            graph.members.insert(names[member.as_str().unwrap()].clone());
        }
        for node in metadata["resolve"]["nodes"].as_array().unwrap() {
            let from = graph.normal.entry(names[node["id"].as_str().unwrap()].clone()).or_default();
            for dep in node["deps"].as_array().unwrap() {
                let is_normal = dep["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null());
                if is_normal {
                    from.insert(names[dep["pkg"].as_str().unwrap()].clone());
                }
            }
        }
        graph
    }

    /// Everything that `from` links, itself excluded, without going through `without`.
    pub(crate) fn reached(&self, from: &str, without: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut next = vec![from];
        while let Some(name) = next.pop() {
            for dep in self.normal.get(name).into_iter().flatten() {
                if dep != without && reached.insert(dep.clone()) {
                    next.push(dep);
                }
            }
        }
        reached
    }
}
