//! What clients are told while the database is away, and that everything goes on when it is back.

use serde_json::json;
use testbed::{Cluster, Durability, eventually};

use crate::serving::Serving;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_postgres_is_a_503_until_it_is_back() {
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(Durability::Full)).await.unwrap();
    let serving = Serving::on(&cluster.database().await).await;
    let admin = serving.admin();
    let path = admin.new_incident("Before").await;
    cluster.kill();

    // What serves a connection sees only a moment later that the postmaster is gone.
    eventually("it is not ready", || async { admin.get("/readyz").await.status == 503 }).await;
    let unready = admin.get("/readyz").await.expect(503);
    assert_eq!(unready.header("retry-after"), "2");
    unready.problem(503, "not_ready");
    admin.get("/healthz").await.expect(200);
    let read = admin.get(&path).await;
    assert_eq!(read.header("retry-after"), "2");
    read.problem(503, "unavailable");
    // Sent while nothing is there, and repeated under its key until there is an answer: recorded once.
    let body = json!({ "title": "During" });
    let write = || admin.ask("POST", "/api/incidents").header("idempotency-key", "k1").json(&body).send();
    let refused = write().await;
    assert!(refused.status == 503 && !refused.header("retry-after").is_empty(), "{}", refused.text);

    let cluster = tokio::task::spawn_blocking(move || {
        cluster.run();
        cluster
    });
    let _cluster = cluster.await.unwrap();
    eventually("it is ready again", || async { admin.get("/readyz").await.status == 200 }).await;
    eventually("the write is answered", || async { write().await.status == 201 }).await;
    let created = write().await.expect(201);
    assert_eq!(created.header("idempotent-replayed"), "true");
    let history = admin.get(&format!("{}/history", created.location())).await.expect(200).json();
    assert_eq!(history["items"].as_array().unwrap().len(), 1);
    assert_eq!(admin.get(&path).await.expect(200).json()["title"], "Before");
}
