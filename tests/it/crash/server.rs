//! kill -9 of the process that writes.

use std::sync::Arc;

use nix::sys::signal::Signal;
use testbed::{Cluster, eventually};

use super::load::{Load, send_again};
use super::report::Report;
use super::witness::Witness;
use super::{rounds, whole_log};
use crate::client::Client;
use crate::serving::Serving;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_on_sqlite_has_lost_nothing() {
    let serving = Serving::on_sqlite().await;
    let url = format!("sqlite:{}", serving.data().join("pagefree.db").display());
    kill_in_a_loop("kill -9 of the server, SQLite", serving, url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_on_postgres_has_lost_nothing() {
    let cluster = tokio::task::spawn_blocking(Cluster::shared).await.unwrap();
    let url = cluster.database().await;
    let serving = Serving::on(&url).await;
    kill_in_a_loop("kill -9 of the server, PostgreSQL", serving, url).await;
}

async fn kill_in_a_loop(what: &str, mut serving: Serving, url: String) {
    let token = serving.first_token.clone();
    let witness = Arc::new(Witness::default());
    let mut report = Report::new(what);
    for round in 0..rounds() {
        let load = Load::start(&Client::new(&serving.url, Some(&token)), &witness, round);
        // Killed at another moment each time, with commands on their way.
        let enough = witness.acknowledgements() + 40 + round * 7 % 50;
        eventually("there is load", || async { witness.acknowledgements() >= enough && witness.in_flight() > 0 }).await;
        let in_flight = witness.in_flight();
        serving = serving.restarted(Signal::SIGKILL).await;
        load.ended().await;
        let again = send_again(&Client::new(&serving.url, Some(&token)), &witness).await;
        let objections = witness.objections(&whole_log(&url).await);
        assert!(objections.is_empty(), "round {round}: {objections:?}");
        assert!(in_flight > 0, "round {round} had nothing on its way");
        report.round(in_flight, again);
    }
    report.finish(witness.acknowledgements());
}
