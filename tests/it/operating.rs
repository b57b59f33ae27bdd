//! Views under an operator's hands, over HTTP and on the command line, and what machines are told of them.

use std::time::{Duration, Instant};

use commands::ids;
use projections::registry::VIEWS;
use serde_json::{Value, json};
use storage::documents::Shape;
use storage::{Append, NewEvent, Store, StreamId, StreamWrite, Verdict};
use testbed::eventually;

use crate::client::Client;
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    a_paused_view_shows_and_delays_nobody,
    a_view_that_has_stopped_is_led_on,
    the_command_line_does_the_same,
    what_is_wrong_is_said,
    metrics_say_what_they_promise,
);

/// Records an event as an older or a broken binary would, and returns its position.
async fn recorded(store: &Store, id: &str, expected: u64, payload: &Value) -> u64 {
    let event = NewEvent {
        event_id: ids::fresh(),
        event_type: payload["type"].as_str().unwrap().to_owned(),
        event_version: 1,
        payload: payload.to_string(),
    };
    let write = StreamWrite { stream: StreamId::new("incident", id), expected, events: vec![event] };
    match store.append(Append::new(ids::fresh(), vec![write])).await {
        Ok(Verdict::Committed(receipt)) => receipt.last,
        other => panic!("not recorded: {other:?}"),
    }
}

async fn view(client: &Client, name: &str) -> Value {
    let views = client.get("/api/views").await.expect(200).json();
    views["items"].as_array().unwrap().iter().find(|view| view["name"] == name).expect("it is listed").clone()
}

async fn is_ready(serving: &Serving) -> bool {
    serving.anonymous().get("/readyz").await.status == 200
}

/// Whether a line with these labels has this value.
fn has(metrics: &str, line: &str) -> bool {
    metrics.lines().any(|found| found == line)
}

async fn a_paused_view_shows_and_delays_nobody(serving: Serving) {
    let admin = serving.admin();
    let before = admin.post("/api/incidents", json!({ "title": "Before" })).await.expect(201);
    let paused = admin.post("/api/views/incidents/pause", json!({})).await.expect(200).json();
    assert_eq!((&paused["state"], &paused["paused"]), (&json!("paused"), &json!(true)));
    eventually("the pause is seen", || async { !is_ready(&serving).await }).await;
    let unready = serving.anonymous().get("/readyz").await;
    assert_eq!(unready.header("retry-after"), "2");
    let problem = unready.problem(503, "not_ready");
    assert_eq!(problem["errors"], json!([{ "pointer": "/views/incidents", "message": "paused" }]));
    serving.anonymous().get("/healthz").await.expect(200);
    let metrics = serving.anonymous().get("/metrics").await.expect(200).text;
    assert!(has(&metrics, "pagefree_view_paused{view=\"incidents\",version=\"1\"} 1"), "{metrics}");
    assert!(has(&metrics, "pagefree_view_paused{view=\"runbook_versions\",version=\"2\"} 0"), "{metrics}");

    // A write is recorded without waiting for what does not move.
    let begun = Instant::now();
    let during = admin.post("/api/incidents", json!({ "title": "During" })).await.expect(202);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(during.location(), format!("/api/incidents/{}", during.json()["id"].as_str().unwrap()));
    assert!(during.number() > before.number());
    // What is read is what it was; who has seen more is told so.
    admin.get(&during.location()).await.problem(404, "not_found");
    let refused = admin.get_after(&during, &during.location()).await;
    assert_eq!(refused.position(), before.position());
    refused.problem(503, "behind");
    admin.get_after(&during, "/api/incidents").await.problem(503, "behind");
    let list = admin.get("/api/incidents").await.expect(200);
    assert_eq!((list.json()["items"].as_array().unwrap().len(), list.position()), (1, before.position()));
    // The log itself has it, and no other view waits.
    let then = admin.get(&format!("{}?as_of={}", during.location(), during.number())).await.expect(200).json();
    assert_eq!(then["title"], "During");
    admin.get_after(&during, &format!("{}/history", during.location())).await.expect(200);
    admin.new_runbook("Meanwhile").await;
    assert_eq!(view(&admin, "incidents").await["behind"], 2);

    let resumed = admin.post("/api/views/incidents/resume", json!({})).await.expect(200).json();
    assert_eq!(resumed["paused"], json!(false));
    eventually("it is ready again", || is_ready(&serving)).await;
    assert_eq!(admin.get_after(&during, &during.location()).await.expect(200).json(), then);
    assert_eq!(view(&admin, "incidents").await["state"], "live");
}

async fn a_view_that_has_stopped_is_led_on(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_incident("Bad").await;
    let id = path.rsplit('/').next().unwrap();
    // It lacks what a note must have.
    let store = serving.store().await;
    let poison = recorded(&store, id, 1, &json!({ "type": "incident.note_added", "by": "ann" })).await;
    eventually("the timeline stops", || async { view(&admin, "incident_timeline").await["state"] == "halted" }).await;
    let halt = view(&admin, "incident_timeline").await["halt"].clone();
    assert_eq!((&halt["kind"], &halt["position"]), (&json!("poison"), &json!(poison)));
    eventually("it shows in readiness", || async { !is_ready(&serving).await }).await;
    let unready = serving.anonymous().get("/readyz").await.problem(503, "not_ready");
    assert_eq!(unready["errors"][0]["pointer"], "/views/incident_timeline");
    eventually("the document is parked", || async { view(&admin, "incidents").await["parked"]["count"] == 1 }).await;
    let parked = view(&admin, "incidents").await["parked"]["first"][0].clone();
    assert_eq!((&parked["key"], &parked["at"]), (&json!(id), &json!(poison)));
    // It is shown as such, in details and in lists, and keeps its version.
    let shown = admin.get(&path).await.expect(200);
    assert_eq!((shown.json()["parked"]["at"].as_u64(), shown.etag().as_str()), (Some(poison), "\"1\""));
    let listed = admin.get("/api/incidents").await.expect(200).json();
    assert_eq!(listed["items"], json!([shown.json()]));
    let metrics = serving.anonymous().get("/metrics").await.expect(200).text;
    assert!(has(&metrics, "pagefree_view_parked_documents{view=\"incidents\",version=\"1\"} 1"), "{metrics}");
    assert!(has(&metrics, "pagefree_view_halted{view=\"incident_timeline\",version=\"1\"} 1"), "{metrics}");

    // Nothing is skipped where nothing has stopped: a rebuild would differ.
    let skip = |view: &str, position: u64| {
        let (admin, path) = (admin.clone(), format!("/api/views/{view}/skip"));
        async move { admin.post(&path, json!({ "position": position, "reason": "nothing worth keeping" })).await }
    };
    skip("incident_timeline", poison - 1).await.problem(409, "nothing_stopped");
    skip("runbooks", poison).await.problem(409, "nothing_stopped");
    skip("incident_timeline", poison).await.expect(200);
    eventually("it is ready again", || is_ready(&serving)).await;
    let retry = || admin.post("/api/views/incidents/retry", json!({ "key": id }));
    retry().await.problem(409, "still_parked");
    skip("incidents", poison).await.expect(200);
    let repaired = retry().await.expect(200).json();
    assert_eq!(repaired["parked"], json!({ "count": 0, "first": [] }));
    assert_eq!(admin.get(&path).await.expect(200).json()["parked"], json!(null));
    let same = serving.run(&["replay", "diff"]);
    assert_eq!(same.status.code(), Some(0), "{}", String::from_utf8_lossy(&same.stdout));
}

async fn the_command_line_does_the_same(serving: Serving) {
    const OLD: Shape = Shape {
        name: "incidents",
        version: 77,
        columns: &[],
        indexes: &[],
        searched: false,
        singly: false,
        touches: false,
    };
    let admin = serving.admin();
    let path = admin.new_incident("Bad").await;
    let run = |arguments: &[&str]| {
        let done = serving.run(&[&["views"], arguments].concat());
        (done.status.code(), String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    let (code, table, _) = run(&["list"]);
    assert!(
        code == Some(0) && table.lines().count() == 1 + VIEWS.len() && table.contains("incident_timeline"),
        "{table}"
    );
    // Where the database is may be said before or behind what is to be done.
    assert_eq!(run(&["list", "--data", "data"]).1, run(&["--data", "data", "list"]).1);
    let (_, listed, _) = run(&["list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["items"], admin.get("/api/views").await.expect(200).json()["items"]);

    assert!(run(&["pause", "incidents"]).1.contains("paused"));
    eventually("the server sees it", || async { !is_ready(&serving).await }).await;
    assert!(run(&["resume", "incidents"]).1.contains("live"));
    eventually("it is ready again", || is_ready(&serving)).await;

    let store = serving.store().await;
    let id = path.rsplit('/').next().unwrap();
    let poison = recorded(&store, id, 1, &json!({ "type": "incident.note_added", "by": "ann" })).await.to_string();
    eventually("the timeline stops", || async { run(&["list"]).1.contains("halted") }).await;
    let (code, _, why) = run(&["skip", "incident_timeline", "1", "--reason", "x"]);
    assert!(code == Some(1) && why.contains("has stopped at 1"), "{why}");
    assert_eq!(run(&["skip", "incident_timeline", &poison, "--reason", "x"]).0, Some(0));
    assert_eq!(run(&["retry", "incidents", id]).0, Some(1));
    assert_eq!(run(&["skip", "incidents", &poison, "--reason", "x"]).0, Some(0));
    assert_eq!(run(&["retry", "incidents", id]).0, Some(0));
    eventually("it is ready again", || is_ready(&serving)).await;

    // A version that another binary left, or has made already.
    store.open_view(&OLD).await.unwrap();
    assert!(run(&["list"]).1.lines().any(|line| line.contains("77") && line.contains("other binary")));
    let (code, _, why) = run(&["drop", "incidents", "1"]);
    assert!(code == Some(1) && why.contains("needs incidents 1"), "{why}");
    let (code, left, _) = run(&["drop", "incidents", "77"]);
    assert!(code == Some(0) && !left.contains("77"), "{left}");
    assert_eq!(run(&["drop", "incidents", "77"]).0, Some(1));
    for wrong in [&["pause", "nothing"][..], &["skip", "incidents", "x", "--reason", "y"], &["skip", "incidents", "1"]]
    {
        assert_eq!(run(wrong).0, Some(2), "{wrong:?}");
    }
}

async fn what_is_wrong_is_said(serving: Serving) {
    let admin = serving.admin();
    admin.get("/api/views?name=x").await.faults(&["/query/name"]);
    for verb in ["pause", "resume"] {
        admin.post(&format!("/api/views/nothing/{verb}"), json!({})).await.problem(404, "not_found");
        admin.post(&format!("/api/views/incidents/{verb}"), json!({ "x": 1 })).await.faults(&["/x"]);
    }
    admin.post("/api/views/incidents/skip", json!({ "position": -1 })).await.faults(&["/position", "/reason"]);
    admin.post("/api/views/incidents/retry", json!({})).await.faults(&["/key"]);
    admin.post("/api/views/incidents/retry", json!({ "key": "nobody" })).await.problem(409, "still_parked");
    let long = json!({ "position": 1, "reason": "x".repeat(501) });
    admin.post("/api/views/incidents/skip", long).await.faults(&["/reason"]);
    assert!(is_ready(&serving).await);
}

async fn metrics_say_what_they_promise(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_incident("Down").await;
    let snoozed = admin.post(&format!("{path}/snooze"), json!({ "until": "2999-01-01T00:00:00Z" })).await.expect(200);
    admin.get("/api/incidents/nobody").await.problem(404, "not_found");
    admin.get("/nowhere").await.problem(404, "not_found");
    let line = |metrics: &str, begin: &str| {
        let found = metrics.lines().find(|line| line.starts_with(begin)).map(str::to_owned);
        found.unwrap_or_else(|| panic!("no {begin}\n{metrics}"))
    };
    let scrape = || async { serving.anonymous().get("/metrics").await.expect(200) };
    let (head, timer) = (snoozed.number(), "pagefree_work_items{kind=\"wake_snoozed\",state=\"ready\"} 1");
    eventually("the timer is set", || async { has(&scrape().await.text, timer) }).await;
    eventually("all views are there", || async {
        scrape().await.text.lines().filter(|line| line.starts_with("pagefree_view_behind")).all(|l| l.ends_with(" 0"))
    })
    .await;
    let reply = scrape().await;
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let metrics = reply.text;
    for view in VIEWS {
        let labels = format!("{{view=\"{}\",version=\"{}\"", view.name, view.version);
        for expected in [
            format!("pagefree_view_position{labels}}} {head}"),
            format!("pagefree_view_behind_events{labels}}} 0"),
            format!("pagefree_view_halted{labels}}} 0"),
            format!("pagefree_view_phase{labels},phase=\"live\"}} 1"),
            format!("pagefree_view_phase{labels},phase=\"building\"}} 0"),
        ] {
            assert!(has(&metrics, &expected), "{expected}\n{metrics}");
        }
    }
    assert!(has(&metrics, &format!("pagefree_log_head_position {head}")), "{metrics}");
    assert!(has(&metrics, &format!("pagefree_reactor_position{{reactor=\"wake_snoozed\"}} {head}")), "{metrics}");
    assert!(has(&metrics, "pagefree_work_oldest_due_seconds{kind=\"wake_snoozed\",state=\"ready\"} 0"), "{metrics}");
    let posts = "pagefree_http_requests_total{route=\"/api/incidents\",method=\"POST\",status=\"201\"} 1";
    let missing = "pagefree_http_requests_total{route=\"/api/incidents/{id}\",method=\"GET\",status=\"404\"} 1";
    for expected in [posts, missing] {
        assert!(has(&metrics, expected), "{expected}\n{metrics}");
    }
    line(&metrics, "pagefree_http_requests_total{route=\"none\",method=\"GET\",status=\"404\"} ");
    let bucket =
        "pagefree_http_request_duration_seconds_bucket{route=\"/api/incidents\",method=\"POST\",le=\"+Inf\"} 1";
    assert!(has(&metrics, bucket), "{metrics}");
    let started: f64 = line(&metrics, "process_start_time_seconds ").split(' ').next_back().unwrap().parse().unwrap();
    assert!(started > 1.7e9, "{started}");
    line(&metrics, "pagefree_work_running ");
    line(&metrics, "pagefree_reactor_halted{reactor=\"wake_snoozed\"} 0");
    // Every line is a comment or a sample of a family that was announced.
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(metrics.contains(&format!("# TYPE {family} ")), "{line}");
        assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
    }
    // Nothing of what is in the log.
    assert!(!metrics.contains(path.rsplit('/').next().unwrap()) && !metrics.contains("Down"));
}
