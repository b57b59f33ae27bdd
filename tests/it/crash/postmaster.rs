//! kill -9 of the postmaster, and with it of every backend in the middle of what it does.

use std::sync::Arc;

use testbed::{Cluster, Durability, eventually};

use super::load::{Load, send_again};
use super::report::Report;
use super::witness::Witness;
use super::{rounds, whole_log};
use crate::client::Client;
use crate::serving::Serving;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_postmaster_has_lost_nothing() {
    let objections = kill_in_a_loop("kill -9 of the postmaster", Durability::Full, rounds()).await;
    assert!(objections.is_empty(), "{objections:?}");
}

/// The control: with commits that are acknowledged before they are flushed, the same loop finds losses.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_flush_before_the_acknowledgement_something_is_lost() {
    let objections = kill_in_a_loop("", Durability::Asynchronous, 8).await;
    assert!(!objections.is_empty(), "eight kills without flushes, and every acknowledgement survived");
}

async fn kill_in_a_loop(what: &str, durability: Durability, rounds: usize) -> Vec<String> {
    let cluster = tokio::task::spawn_blocking(move || Arc::new(Cluster::start(durability))).await.unwrap();
    let url = cluster.database().await;
    let serving = Serving::on(&url).await;
    let client = Client::new(&serving.url, Some(&serving.first_token));
    let witness = Arc::new(Witness::default());
    let mut report = Report::new(what);
    for round in 0..rounds {
        let load = Load::start(&client, &witness, round);
        let enough = witness.acknowledgements() + 60 + round * 13 % 80;
        eventually("there is load", || async { witness.acknowledgements() >= enough && witness.in_flight() > 0 }).await;
        let in_flight = witness.in_flight();
        let down = cluster.clone();
        tokio::task::spawn_blocking(move || {
            down.kill();
            down.run();
        })
        .await
        .unwrap();
        eventually("the server is ready again", || async { client.get("/readyz").await.status == 200 }).await;
        load.stop().await;
        let again = if durability == Durability::Full { send_again(&client, &witness).await } else { 0 };
        let objections = witness.objections(&whole_log(&url).await);
        if !objections.is_empty() {
            return objections;
        }
        report.round(in_flight, again);
    }
    report.finish(witness.acknowledgements());
    if durability == Durability::Full {
        views_hold_the_log(&serving);
    }
    Vec::new()
}

/// Documents are committed without waiting for the disk: they may come back older, but never other than the log says.
fn views_hold_the_log(serving: &Serving) {
    let compared = tokio::task::block_in_place(|| serving.run(&["replay", "diff"]));
    let said = String::from_utf8_lossy(&compared.stdout);
    assert!(compared.status.success(), "{said}{}", String::from_utf8_lossy(&compared.stderr));
    assert!(said.contains("incidents: ") && !said.contains("incidents: 0 documents"), "nothing was compared: {said}");
}
