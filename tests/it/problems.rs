//! Whatever a client sends, the answer is a problem that says what is wrong, and never a 500.

use serde_json::{Value, json};

use crate::client::{Reply, runbook};
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    bodies_that_cannot_be_read,
    every_fault_is_listed,
    addresses_methods_and_queries,
    who_is_not_known_gets_nowhere,
    every_answer_has_its_headers,
    hostile_bodies_never_break_anything,
);

async fn bodies_that_cannot_be_read(serving: Serving) {
    let admin = serving.admin();
    let post = || admin.ask("POST", "/api/incidents");
    post().raw("{").send().await.problem(400, "malformed");
    post().raw(&b"{\"title\":\"\xff\"}"[..]).send().await.problem(400, "malformed");
    post().raw("{\"title\":\"\\ud800\"}").send().await.problem(400, "malformed");
    post().raw("[]").send().await.faults(&[""]);
    post()
        .raw("{\"title\":\"a\\u0000b\",\"labels\":{\"\\u0000\":\"x\"}}")
        .send()
        .await
        .faults(&["/labels/\0", "/title"]);
    post().body("text/plain", "{}").send().await.problem(415, "media_type");
    post().body("application/json; charset=latin1", "{}").send().await.problem(415, "media_type");
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(1 << 20));
    post().raw(large.clone()).send().await.problem(413, "too_large");
    let chunks: Vec<Result<String, std::io::Error>> = vec![Ok(large)];
    let unannounced = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    post().raw(unannounced).send().await.problem(413, "too_large");
    post().raw(format!("{{\"title\":{}{}}}", "[".repeat(64), "]".repeat(64))).send().await.faults(&[""]);
    post().raw("[".repeat(1 << 19)).send().await.faults(&[""]);
    // Without a body, without a type: nothing was said, and that is fine where nothing needs to be.
    let path = admin.new_incident("Down").await;
    admin.ask("POST", &format!("{path}/acknowledge")).send().await.expect(200);
    admin.ask("POST", &format!("{path}/notes")).send().await.faults(&["/text"]);
}

async fn every_fault_is_listed(serving: Serving) {
    let admin = serving.admin();
    let body = json!({
        "title": 5, "severity": "bad", "links": [{ "title": "x" }, { "url": "https://u:p@example.com/" }],
        "service_ids": ["ok", "not ok"], "responders": [{ "user": "a b" }, {}], "more": 1, "team_id": "a b",
        "source": { "kind": "api", "kin": 1 },
    });
    let pointers = [
        "/title",
        "/service_ids/1",
        "/source/kin",
        "/links/0/url",
        "/responders/0/user",
        "/responders/1/user",
        "/severity",
        "/more",
        "/team_id",
    ];
    let reply = admin.post("/api/incidents", body).await;
    assert_eq!(reply.json()["errors"].as_array().unwrap().len(), pointers.len(), "{}", reply.text);
    for error in reply.json()["errors"].as_array().unwrap() {
        assert!(pointers.contains(&error["pointer"].as_str().unwrap()), "{error}");
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
    let mut wrong = runbook("x");
    wrong["unknown"] = json!(1);
    wrong["timeout_seconds"] = json!(1);
    admin.post("/api/runbooks", wrong).await.faults(&["/timeout_seconds", "/unknown"]);
    let path = admin.new_incident("Down").await;
    let post = |verb: &str, body: Value| {
        let (admin, path) = (admin.clone(), format!("{path}/{verb}"));
        async move { admin.post(&path, body).await }
    };
    post("acknowledge", json!({ "x": 1 })).await.faults(&["/x"]);
    post("severity", json!({})).await.faults(&["/severity"]);
    post("notes", json!({ "text": " " })).await.faults(&["/text"]);
    post("snooze", json!({ "until": "2001-01-01T00:00:00Z" })).await.faults(&["/until"]);
    post("snooze", json!({ "until": "tomorrow" })).await.faults(&["/until"]);
    post("resolve", json!({ "resolution": "x".repeat(1001) })).await.faults(&["/resolution"]);
    post("merge", json!({ "into": "a b" })).await.faults(&["/into"]);
    post("responders", json!({ "role": "x".repeat(41) })).await.faults(&["/user", "/role"]);
}

async fn addresses_methods_and_queries(serving: Serving) {
    let admin = serving.admin();
    admin.get("/").await.problem(404, "not_found");
    admin.get("/api/nothing").await.problem(404, "not_found");
    for id in ["nobody", "a%20b", "%00", "..%2f..", &"x".repeat(129), "%ff"] {
        assert_eq!(admin.get(&format!("/api/incidents/{id}")).await.status, 404, "{id}");
        assert_eq!(admin.post(&format!("/api/incidents/{id}/resolve"), json!({})).await.status, 404, "{id}");
    }
    let list = admin.put("/api/runbooks", json!({})).await;
    assert_eq!(list.header("allow"), "POST, GET, HEAD");
    list.problem(405, "method");
    let path = admin.new_incident("Down").await;
    let wrong = admin.ask("DELETE", &path).send().await;
    assert_eq!(wrong.header("allow"), "GET, PATCH, HEAD");
    wrong.problem(405, "method");
    assert_eq!(admin.ask("BREW", &path).send().await.status, 405);
    let head = admin.ask("HEAD", &path).send().await.expect(200);
    assert_eq!((head.text.as_str(), head.etag().as_str()), ("", "\"1\""));
    admin.get(&format!("{path}?asof=1")).await.faults(&["/query/asof"]);
    admin.get(&format!("{path}?as_of=1&as_of=2")).await.faults(&["/query/as_of"]);
    admin.get(&format!("{path}/history?limit=0&cursor=x")).await.faults(&["/query/limit", "/query/cursor"]);
    admin.get(&format!("{path}?limit=5")).await.faults(&["/query/limit"]);
    admin.post("/api/incidents?x=1", json!({ "title": "Down" })).await.faults(&["/query/x"]);
    admin.get("/api/runbooks/x/versions/one").await.problem(404, "not_found");
}

async fn who_is_not_known_gets_nowhere(serving: Serving) {
    let nobody = serving.anonymous();
    for api::Route { method, path, access, .. } in api::ROUTES {
        let reply = nobody.ask(method, path).send().await;
        if *access == api::Access::Open && *method == "POST" {
            // A way in: what must be shown there is said.
            reply.problem(400, "invalid");
        } else if path.starts_with("/api") {
            assert!(reply.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
            reply.problem(401, "unauthenticated");
        } else {
            reply.expect(200);
        }
    }
    for credential in ["Bearer pf_wrong", "Bearer ", "Bearer", "Basic YTpi", "", &format!("Bearer {}", "x".repeat(600))]
    {
        let reply = nobody.ask("GET", "/api/incidents/x").header("authorization", credential).send().await;
        reply.problem(401, "unauthenticated");
    }
    // Before anything else is looked at.
    nobody.ask("POST", "/api/incidents").raw("{").send().await.problem(401, "unauthenticated");
}

async fn every_answer_has_its_headers(serving: Serving) {
    let admin = serving.admin();
    let dressed = |reply: &Reply| {
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("x-frame-options"), "DENY");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(reply.header("content-security-policy").starts_with("default-src 'none'"));
        assert!(!reply.header("x-request-id").is_empty());
    };
    for path in ["/healthz", "/readyz", "/api/nothing", "/api/runbooks"] {
        dressed(&admin.get(path).await);
    }
    dressed(&serving.anonymous().get("/api/incidents/x").await);
    dressed(&admin.ask("POST", "/api/incidents").raw("{").send().await);
    let ask = admin.ask("POST", "/api/incidents").json(&json!({ "title": "Down" }));
    let created = ask.header("x-request-id", "req-1").send().await.expect(201);
    dressed(&created);
    assert_eq!(created.header("x-request-id"), "req-1");
    let history = admin.get(&format!("{}/history", created.location())).await.json();
    assert_eq!(history["items"][0]["request_id"], "req-1");
    // An id that could forge log lines is replaced.
    let replaced = admin.ask("GET", "/healthz").header("x-request-id", "a b").send().await;
    assert_ne!(replaced.header("x-request-id"), "a b");
    let ready = admin.get("/readyz").await.json();
    assert!(["SQLite", "PostgreSQL"].contains(&ready["engine"].as_str().unwrap()), "{ready}");
}

/// Values of every shape in every field: the answer may be yes or no, but it is never a fault of ours.
async fn hostile_bodies_never_break_anything(serving: Serving) {
    let admin = serving.admin();
    let incident = admin.new_incident("Down").await;
    let runbook_path = admin.new_runbook("x").await;
    let approval = admin.new_approval("y").await;
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e308),
        json!(18_446_744_073_709_551_615_u64),
        json!(""),
        json!("\u{202e}'; --\u{feff}"),
        json!("x".repeat(20_000)),
        json!([]),
        json!([null, 1, "x", {}]),
        json!({}),
        json!({ "a": { "b": [1e-308] } }),
        json!("9999-12-30T22:00:00.999999999Z"),
        json!("-009999-01-02T01:59:59Z"),
    ];
    let fields = [
        "title",
        "summary",
        "severity",
        "labels",
        "service_ids",
        "team_id",
        "source",
        "links",
        "custom_fields",
        "responders",
        "to",
        "user",
        "role",
        "reason",
        "resolution",
        "text",
        "until",
        "into",
        "content_hash",
        "quorum",
        "expires_at",
        "verdict",
        "decisions",
        "name",
        "description",
        "tags",
        "environment",
        "parameters",
        "variables",
        "steps",
        "webhook_url",
        "webhook_headers",
        "webhook_auth",
        "payload_template",
        "timeout_seconds",
        "change_note",
        "concurrency",
    ];
    let mut seen = std::collections::BTreeMap::new();
    for route in api::ROUTES.iter().filter(|route| route.method != "GET") {
        let of = match route.path.split('/').nth(2) {
            Some("runbooks") => &runbook_path,
            Some("approvals") => &approval,
            _ => &incident,
        };
        let id = of.rsplit('/').next().unwrap();
        let path = route.path.replace("{id}", id);
        for field in fields {
            for value in &values {
                let reply = admin.ask(route.method, &path).json(&json!({ field: value })).send().await;
                assert!(reply.status < 500, "{} {path} {field}: {value}: {}", route.method, reply.text);
                *seen.entry(reply.status).or_insert(0) += 1;
            }
        }
    }
    assert!(seen.contains_key(&200) && seen.contains_key(&400), "{seen:?}");
    assert!(!serving.log().contains("a fault of ours"));
}
