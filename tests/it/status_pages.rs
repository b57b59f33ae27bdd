//! Status pages from the house's side: their components, what these show, and who may say so.

use serde_json::{Value, json};
use testbed::eventually;

use crate::client::{Client, Reply};
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    a_page_is_made_changed_and_archived,
    a_slug_belongs_to_one_page,
    components_come_go_and_move,
    a_status_is_set_by_hand_and_given_back,
    incidents_are_followed,
    pages_are_found_by_what_they_are,
    pages_are_shown_as_they_were,
    every_fault_is_named,
);

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

async fn page(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).json()
}

/// A field of every component, in their order.
fn each(page: &Value, field: &str) -> Vec<Value> {
    page["components"].as_array().unwrap().iter().map(|component| component[field].clone()).collect()
}

async fn a_page_is_made_changed_and_archived(serving: Serving) {
    let admin = serving.admin();
    let body = json!({
        "slug": "shop", "name": " The shop ", "description": "For all", "time_zone": "Europe/Zurich",
        "audience": "public", "team_id": "t1",
    });
    let made = admin.post("/api/status-pages", body).await.expect(201);
    let (path, document) = (made.location(), made.json());
    assert_eq!((&document["name"], &document["version"]), (&json!("The shop"), &json!(1)));
    assert_eq!(document["status"], json!({ "indicator": "none", "description": "All Systems Operational" }));
    let plain = page(&admin, &admin.new_status_page().await).await;
    assert_eq!((&plain["audience"], &plain["time_zone"]), (&json!("partners"), &json!("UTC")));

    let edit = |tag: &str, body: Value| admin.ask("PATCH", &path).header("if-match", tag).json(&body).send();
    let changed = edit(&made.etag(), json!({ "audience": "partners", "team_id": null })).await.expect(200);
    assert_eq!((&changed.json()["team_id"], &changed.json()["slug"]), (&Value::Null, &json!("shop")));
    edit(&made.etag(), json!({ "name": "x" })).await.problem(412, "moved");
    assert_eq!(edit(&changed.etag(), json!({ "name": "The shop" })).await.expect(200).text, changed.text);

    let gone = admin.post(&format!("{path}/archive"), json!({ "reason": "sold" })).await.expect(200).json();
    assert_eq!(gone["archived"]["reason"], "sold");
    admin.patch(&path, json!({ "name": "x" })).await.problem(409, "status_page_archived");
    admin.post(&format!("{path}/archive"), json!({})).await.expect(200);
    let history = admin.get(&format!("{path}/history")).await.expect(200).json();
    let names: Vec<&str> =
        history["items"].as_array().unwrap().iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert_eq!(names, ["status_page.created", "status_page.edited", "status_page.archived"]);
    admin.get("/api/status-pages/nothing").await.problem(404, "not_found");
    admin.patch("/api/status-pages/nothing", json!({ "name": "x" })).await.problem(404, "status_page_missing");
}

async fn a_slug_belongs_to_one_page(serving: Serving) {
    let admin = serving.admin();
    let make = |slug: &str| {
        let body = json!({ "slug": slug, "name": "A page" });
        let admin = admin.clone();
        async move { admin.post("/api/status-pages", body).await }
    };
    let first = make("one").await.expect(201).location();
    make("one").await.problem(409, "slug_taken");
    let second = make("two").await.expect(201).location();
    admin.patch(&second, json!({ "slug": "one" })).await.problem(409, "slug_taken");
    admin.patch(&second, json!({ "slug": "zwei" })).await.expect(200);
    // What was given up may be had, and what is archived gives up its own.
    admin.patch(&first, json!({ "slug": "two" })).await.expect(200);
    admin.post(&format!("{first}/archive"), json!({})).await.expect(200);
    make("two").await.expect(201);
    // Of many at once one gets it.
    let (a, b, c, d) = tokio::join!(make("many"), make("many"), make("many"), make("many"));
    let mut statuses = [a, b, c, d].map(|reply| reply.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
    // The same request twice is one page.
    let body = json!({ "slug": "once", "name": "A page" });
    let ask = || admin.ask("POST", "/api/status-pages").header("idempotency-key", "k").json(&body).send();
    let (once, twice) = (ask().await.expect(201), ask().await.expect(201));
    assert_eq!((once.location(), once.text), (twice.location(), twice.text));
}

async fn components_come_go_and_move(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_status_page().await;
    let group = admin.new_component(&path, json!({ "name": "Money", "group": true })).await;
    let cards = json!({ "name": "Cards", "group_id": group, "service_ids": ["pay"], "description": "All cards" });
    let cards = admin.new_component(&path, cards).await;
    let bills = admin.new_component(&path, json!({ "name": "Bills", "group_id": group, "position": 1 })).await;
    let search = admin.new_component(&path, json!({ "name": "Search" })).await;
    assert_eq!(each(&page(&admin, &path).await, "name"), ["Money", "Bills", "Cards", "Search"]);
    let one = admin.get(&format!("{path}/components/{cards}")).await.expect(200);
    assert_eq!((&one.json()["position"], &one.json()["service_ids"]), (&json!(2), &json!(["pay"])));
    assert_eq!(one.etag(), "\"5\"");
    let all = admin.get(&format!("{path}/components")).await.expect(200).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 4);

    let at = |id: &str| format!("{path}/components/{id}");
    let shift = |id: &str, body: Value| {
        let (admin, path) = (admin.clone(), format!("{}/move", at(id)));
        async move { admin.post(&path, body).await }
    };
    let moved = shift(&search, json!({ "group_id": group, "position": 1 })).await.expect(200).json();
    assert_eq!(each(&moved, "name"), ["Money", "Search", "Bills", "Cards"]);
    let moved = shift(&bills, json!({ "position": 1 })).await.expect(200).json();
    assert_eq!(each(&moved, "name"), ["Bills", "Money", "Search", "Cards"]);
    shift(&group, json!({ "group_id": group, "position": 1 })).await.faults(&["/group_id"]);
    shift(&bills, json!({ "position": 0, "into": 1 })).await.faults(&["/into", "/position"]);
    let edited = admin.patch(&at(&cards), json!({ "name": "All cards", "only_show_if_degraded": true })).await;
    assert_eq!(edited.expect(200).json()["components"][3]["name"], "All cards");

    let remove = |id: &str| admin.ask("DELETE", &at(id)).send();
    remove(&group).await.problem(409, "group_not_empty");
    remove(&cards).await.expect(200);
    remove(&cards).await.expect(200);
    admin.get(&at(&cards)).await.problem(404, "not_found");
    admin.patch(&at(&cards), json!({ "name": "x" })).await.problem(404, "component_missing");
    for nowhere in ["nothing", "a%20b"] {
        assert_eq!(remove(nowhere).await.status, 404, "{nowhere}");
    }
}

async fn a_status_is_set_by_hand_and_given_back(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_status_page().await;
    let cards = admin.new_component(&path, json!({ "name": "Cards" })).await;
    admin.new_component(&path, json!({ "name": "Search" })).await;
    let status = format!("{path}/components/{cards}/status");
    let manager = serving.somebody("team_manager");
    let out = manager.post(&status, json!({ "status": "major_outage", "reason": "the bank is gone" })).await;
    let out = out.expect(200).json();
    assert_eq!(each(&out, "status"), ["major_outage", "operational"]);
    assert_eq!(out["components"][0]["by_hand"]["reason"], "the bank is gone");
    assert_eq!(out["status"]["description"], "Partial System Outage");
    manager.post(&status, json!({ "status": "broken" })).await.faults(&["/status"]);
    manager.post(&status, json!({})).await.faults(&["/status"]);
    serving.somebody("responder").post(&status, json!({ "status": "operational" })).await.problem(403, "denied");
    let back = manager.ask("DELETE", &status).send().await.expect(200).json();
    assert_eq!(
        (each(&back, "status")[0].clone(), &back["components"][0]["by_hand"]),
        (json!("operational"), &Value::Null)
    );
}

async fn shows(client: &Client, path: &str, expected: &[&str]) {
    eventually(&format!("it shows {expected:?}"), || async { each(&page(client, path).await, "status") == expected })
        .await;
}

async fn incidents_are_followed(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_status_page().await;
    let cards = admin.new_component(&path, json!({ "name": "Cards", "service_ids": ["pay"] })).await;
    admin.new_component(&path, json!({ "name": "Search", "service_ids": ["find"] })).await;
    let body = json!({ "title": "Secret title", "severity": "sev2", "service_ids": ["pay"] });
    let incident = admin.post("/api/incidents", body).await.expect(201).location();
    shows(&admin, &path, &["partial_outage", "operational"]).await;
    let shown = page(&admin, &path).await;
    assert_eq!(shown["components"][0]["incidents"], json!([id(&incident)]));
    assert!(!shown.to_string().contains("Secret title"), "titles are none of a page's business");
    admin.post(&format!("{incident}/severity"), json!({ "severity": "sev1" })).await.expect(200);
    shows(&admin, &path, &["major_outage", "operational"]).await;
    // Somebody knows better.
    let status = format!("{path}/components/{cards}/status");
    admin.post(&status, json!({ "status": "operational" })).await.expect(200);
    shows(&admin, &path, &["operational", "operational"]).await;
    admin.ask("DELETE", &status).send().await.expect(200);
    shows(&admin, &path, &["major_outage", "operational"]).await;
    admin.post(&format!("{incident}/resolve"), json!({})).await.expect(200);
    shows(&admin, &path, &["operational", "operational"]).await;
}

async fn pages_are_found_by_what_they_are(serving: Serving) {
    let admin = serving.admin();
    let make = |slug: &str, name: &str, audience: &str, team: Value| {
        let body = json!({ "slug": slug, "name": name, "audience": audience, "team_id": team });
        let admin = admin.clone();
        async move { admin.post("/api/status-pages", body).await.expect(201).location() }
    };
    let shop = make("shop", "Shop", "public", json!("t1")).await;
    make("bank", "Bank für alle", "partners", json!("t2")).await;
    let old = make("old", "Old", "public", json!(null)).await;
    let cards = admin.new_component(&shop, json!({ "name": "Cards", "service_ids": ["pay"] })).await;
    let status = format!("{shop}/components/{cards}/status");
    admin.post(&status, json!({ "status": "major_outage" })).await.expect(200);
    let last = admin.post(&format!("{old}/archive"), json!({})).await.expect(200);
    for (query, expected) in [
        ("", &["bank", "shop"][..]),
        ("?state=archived", &["old"]),
        ("?state=archived,live", &["bank", "old", "shop"]),
        ("?audience=public", &["shop"]),
        ("?indicator=critical", &["shop"]),
        ("?indicator=none,minor", &["bank"]),
        ("?slug=bank", &["bank"]),
        ("?team_id=t1", &["shop"]),
        ("?team_id=global", &[]),
        ("?service_id=pay", &["shop"]),
        ("?q=fur%20AL", &["bank"]),
        ("?q=cards", &["shop"]),
        ("?sort=-created_at", &["bank", "shop"]),
    ] {
        let reply: Reply = admin.get_after(&last, &format!("/api/status-pages{query}")).await.expect(200);
        let found: Vec<String> = reply.json()["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["slug"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(found, expected, "{query}");
    }
    admin.get("/api/status-pages?state=dead&audience=x&indicator=y&slug=a%20b&nothing=1").await.faults(&[
        "/query/state",
        "/query/audience",
        "/query/indicator",
        "/query/slug",
        "/query/nothing",
    ]);
}

async fn pages_are_shown_as_they_were(serving: Serving) {
    let admin = serving.admin();
    let path = admin.new_status_page().await;
    let before = admin.get(&path).await.expect(200);
    let added = admin.post(&format!("{path}/components"), json!({ "name": "Cards" })).await.expect(201);
    admin.patch(&path, json!({ "name": "Renamed" })).await.expect(200);
    let then = admin.get(&format!("{path}?as_of={}", added.number())).await.expect(200);
    assert_eq!((then.text, then.headers["etag"].to_str().unwrap()), (added.text.clone(), "\"2\""));
    let first = admin.get(&format!("{path}?as_of={}", before.number())).await.expect(200).json();
    assert_eq!(first["components"], json!([]));
    let component = added.location();
    admin.get(&format!("{component}?as_of={}", before.number())).await.problem(404, "not_found");
    admin.get(&format!("{component}?as_of={}", added.number())).await.expect(200);
}

async fn every_fault_is_named(serving: Serving) {
    let admin = serving.admin();
    let wrong = json!({ "slug": "Not a slug", "name": "", "time_zone": "Moon", "audience": "nobody", "color": "red" });
    admin.post("/api/status-pages", wrong).await.faults(&["/audience", "/color", "/slug", "/name", "/time_zone"]);
    admin.post("/api/status-pages", json!({})).await.faults(&["/slug", "/name"]);
    let path = admin.new_status_page().await;
    let wrong = json!({ "name": 7, "service_ids": ["a b"], "group": true, "group_id": "x", "position": 0 });
    let expected = ["/name", "/service_ids/0", "/group_id", "/position"];
    admin.post(&format!("{path}/components"), wrong).await.faults(&expected);
    admin.post(&format!("{path}/components"), json!({ "name": "x", "group_id": "none" })).await.faults(&["/group_id"]);
}
