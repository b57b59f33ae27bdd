//! If-Match, ETag and Pagefree-Min-Position: nobody overwrites what he has not seen, and everybody sees what he wrote.

use serde_json::json;

use crate::client::runbook;
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(an_edit_names_the_version_that_it_is_of, a_writer_reads_what_he_wrote);

async fn an_edit_names_the_version_that_it_is_of(serving: Serving) {
    let admin = serving.admin();
    let created = admin.post("/api/runbooks", runbook("One")).await.expect(201);
    let path = created.location();
    let edit = |tag: &str, name: &str| admin.ask("PUT", &path).header("if-match", tag).json(&runbook(name)).send();
    let second = edit(&created.etag(), "Two").await.expect(200);
    assert_eq!((second.etag().as_str(), second.json()["version"].as_u64()), ("\"2\"", Some(2)));
    let moved = edit(&created.etag(), "Three").await;
    assert_eq!(moved.etag(), "\"2\"", "the answer names the present one");
    moved.problem(412, "moved");
    for foreign in ["W/\"2\"", "\"x\"", "\"02\""] {
        edit(foreign, "Three").await.problem(412, "moved");
    }
    edit("2", "Three").await.faults(&["/header/if-match"]);
    edit("*", "Three").await.expect(200);
    assert_eq!(admin.get(&path).await.etag(), "\"3\"");
    let missing = "/api/runbooks/nothing";
    admin.ask("PUT", missing).header("if-match", "\"1\"").json(&runbook("x")).send().await.problem(404, "not_found");
    // Who may not write learns no version either.
    let viewer = serving.somebody("auditor");
    viewer.ask("PUT", &path).header("if-match", "\"1\"").json(&runbook("x")).send().await.problem(403, "denied");

    let unmodified = admin.ask("GET", &path).header("if-none-match", "\"3\"").send().await.expect(304);
    assert_eq!((unmodified.text.as_str(), unmodified.etag().as_str()), ("", "\"3\""));
    admin.ask("GET", &path).header("if-none-match", "\"2\"").send().await.expect(200);
}

async fn a_writer_reads_what_he_wrote(serving: Serving) {
    let admin = serving.admin();
    let created = admin.post("/api/incidents", json!({ "title": "Down" })).await.expect(201);
    let (path, position) = (created.location(), created.position());
    let (epoch, _) = position.split_once(':').unwrap();
    let read = |position: String| admin.ask("GET", &path).header("pagefree-min-position", &position).send();
    assert_eq!(read(position.clone()).await.expect(200).text, created.text);
    let behind = read(format!("{epoch}:{}", created.number() + 1)).await;
    assert_eq!((behind.position(), behind.header("retry-after")), (position.clone(), "1"));
    behind.problem(503, "behind");
    let foreign = read("ffffffffffff:1".to_owned()).await;
    assert_eq!(foreign.position(), position);
    foreign.problem(412, "other_history");
    read("1".to_owned()).await.faults(&["/header/pagefree-min-position"]);
}
