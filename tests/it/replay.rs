//! Views rebuilt and compared beside a running server, and after it was killed in the middle of folding.

use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nix::sys::signal::Signal;
use projections::View;
use projections::incidents::IncidentDetail;
use serde_json::{Value, json};
use storage::documents::{Commit, Committed, CountDelta, Document};
use testbed::eventually;
use uuid::Uuid;

use crate::client::{Client, runbook};
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    views_are_rebuilt_and_compared_beside_a_server,
    whatever_differs_is_named,
    a_server_killed_while_folding_has_folded_nothing_twice,
);

fn printed(done: &Output) -> String {
    String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr)
}

/// Clients that write until they are told to stop; refused or cut off is no matter here.
struct Load {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn start(client: &Client, clients: usize) -> Self {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let one = |n: usize| {
            let (client, stop, written) = (client.clone(), stop.clone(), written.clone());
            tokio::spawn(async move {
                let mut path = String::new();
                while !stop.load(Ordering::Relaxed) {
                    let round = written.fetch_add(1, Ordering::Relaxed);
                    let (at, body) = match round % 4 {
                        0 => ("/api/incidents".to_owned(), json!({ "title": format!("Down {n} {round}") })),
                        1 => ("/api/runbooks".to_owned(), runbook(&format!("Restart {n} {round}"))),
                        2 => (format!("{path}/notes"), json!({ "text": "x" })),
                        _ => (format!("{path}/severity"), json!({ "severity": format!("sev{}", round % 5 + 1) })),
                    };
                    if let Ok(reply) = client.ask("POST", &at).json(&body).try_send().await
                        && reply.location().starts_with("/api/incidents")
                    {
                        path = reply.location();
                    }
                }
            })
        };
        Self { stop: stop.clone(), written: written.clone(), clients: (0..clients).map(one).collect() }
    }

    async fn has_written(&self, count: usize) {
        let enough = self.written.load(Ordering::Relaxed) + count;
        eventually("there is load", || async { self.written.load(Ordering::Relaxed) >= enough }).await;
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
    }
}

fn run(serving: &Serving, arguments: &[&str]) -> Output {
    tokio::task::block_in_place(|| serving.run(arguments))
}

async fn views_are_rebuilt_and_compared_beside_a_server(serving: Serving) {
    let admin = serving.admin();
    let snoozed = admin.new_incident("Down").await;
    admin.post(&format!("{snoozed}/snooze"), json!({ "until": "2999-01-01T00:00:00Z" })).await.expect(200);
    let work = || async { admin.get("/api/work").await.expect(200).json()["items"].clone() };
    let only_the_timer = |items: &Value| {
        let items = items.as_array().expect("a list");
        items.len() == 1 && items[0]["kind"] == "wake_snoozed"
    };
    eventually("the timer is set", || async { only_the_timer(&work().await) }).await;
    let queued: Value = work().await;
    let load = Load::start(&admin, 4);
    load.has_written(200).await;
    let rebuilt = run(&serving, &["replay", "rebuild"]);
    assert_eq!(rebuilt.status.code(), Some(0), "{}", printed(&rebuilt));
    for name in ["runbooks", "runbook_versions", "incidents", "incident_timeline", "approvals"] {
        let told = String::from_utf8_lossy(&rebuilt.stdout).lines().any(|line| line.starts_with(&format!("{name}: ")));
        assert!(told, "{}", printed(&rebuilt));
    }
    load.has_written(100).await;
    let compared = run(&serving, &["replay", "diff"]);
    assert_eq!(compared.status.code(), Some(0), "{}", printed(&compared));
    assert!(printed(&compared).contains("incidents: ") && printed(&compared).contains(" 0 differences"));
    load.has_written(50).await;
    load.end().await;
    // What the load itself led to is done soon; whatever else there were would stay.
    eventually("a rebuild creates no work", || async { work().await == queued }).await;
    // The server reads what was put in place, and goes on with it.
    let made = admin.post("/api/incidents", json!({ "title": "After" })).await.expect(201);
    assert_eq!(admin.get_after(&made, &made.location()).await.expect(200).text, made.text);
    let view = admin.get("/api/views").await.expect(200).json()["items"][0].clone();
    assert!(view["generation"].as_u64() > Some(1) && view["state"] == "live", "{view}");
    let one = run(&serving, &["replay", "diff", "--view", "incidents"]);
    assert_eq!((one.status.code(), String::from_utf8_lossy(&one.stdout).lines().count()), (Some(0), 1));
    let wrong = run(&serving, &["replay", "rebuild", "--view", "nothing"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", printed(&wrong));
}

/// Changes a document and a count as nothing that follows from the log would.
async fn tamper(serving: &Serving, key: &str, change: impl FnOnce(&mut Document)) {
    let store = serving.store().await;
    let (table, row) = store.open_view(&IncidentDetail::shape()).await.unwrap();
    let mut documents = store.all_documents(&table, None, 100).await.unwrap();
    documents.retain(|document| document.key == key);
    change(&mut documents[0]);
    let counts = [CountDelta { grouping: "status", value: "open".to_owned(), by: 1 }];
    let commit = Commit { from: row.position, to: row.position, documents: &documents, touches: &[], counts: &counts };
    let me = row.held_by.unwrap_or_else(Uuid::nil);
    let done = store.commit_documents(&table, me, std::time::Duration::ZERO, &commit).await.unwrap();
    assert_eq!(done, Committed::Done);
}

async fn whatever_differs_is_named(serving: Serving) {
    let admin = serving.admin();
    let id = |path: String| path.rsplit('/').next().unwrap().to_owned();
    let (first, second) = (id(admin.new_incident("One").await), id(admin.new_incident("Two").await));
    let diff = || run(&serving, &["replay", "diff", "--view", "incidents"]);
    let same = diff();
    assert_eq!(same.status.code(), Some(0), "{}", printed(&same));
    assert!(printed(&same).contains("2 documents compared"), "{}", printed(&same));

    tamper(&serving, &first, |document| document.body = document.body.replace("One", "Won")).await;
    tamper(&serving, &second, |document| document.terms.clear()).await;
    let differs = diff();
    let text = printed(&differs);
    assert_eq!(differs.status.code(), Some(1), "{text}");
    for line in [
        format!("incidents: {first}: body"),
        format!("incidents: {second}: terms"),
        "incidents: count of status 'open': 4, should be 2".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.contains("3 differences"), "{text}");
    // A rebuild puts it right.
    assert_eq!(run(&serving, &["replay", "rebuild", "--view", "incidents"]).status.code(), Some(0));
    let same = diff();
    assert_eq!(same.status.code(), Some(0), "{}", printed(&same));
}

async fn a_server_killed_while_folding_has_folded_nothing_twice(mut serving: Serving) {
    let token = serving.first_token.clone();
    for round in 0..4 {
        let load = Load::start(&Client::new(&serving.url, Some(&token)), 6);
        load.has_written(60 + 17 * round).await;
        serving.signal(Signal::SIGKILL);
        load.end().await;
        serving = serving.restarted(Signal::SIGKILL).await;
        let compared = run(&serving, &["replay", "diff"]);
        assert_eq!(compared.status.code(), Some(0), "round {round}: {}", printed(&compared));
        assert!(!printed(&compared).contains(" 0 documents compared at position 0"), "{}", printed(&compared));
    }
}
