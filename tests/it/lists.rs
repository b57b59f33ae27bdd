//! Lists: what each filter lets through, in which order, page by page, and to whom.

use serde_json::{Value, json};

use crate::client::{Client, Reply, runbook};
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    incidents_are_found_by_what_they_are,
    runbooks_are_found_by_what_they_are,
    pages_add_up_in_every_order,
    what_cannot_be_asked_for_is_said,
    every_role_sees_what_it_may,
    whoever_writes_finds_it_at_once,
);

fn items(reply: &Reply) -> Vec<Value> {
    reply.json()["items"].as_array().unwrap().clone()
}

/// The values of a field, as listed.
fn listed(reply: &Reply, field: &str) -> Vec<String> {
    items(reply).iter().map(|item| item[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// What a query finds after a write, by title or name.
async fn found(client: &Client, after: &Reply, path: &str) -> Vec<String> {
    let reply = client.get_after(after, path).await.expect(200);
    let field = if path.starts_with("/api/incidents") { "title" } else { "name" };
    listed(&reply, field)
}

/// A time as it stands in a query.
fn quoted(time: &Value) -> String {
    time.as_str().unwrap().replace('+', "%2B")
}

async fn incidents_are_found_by_what_they_are(serving: Serving) {
    let admin = serving.admin();
    let long = "é".repeat(250);
    let bodies = [
        json!({ "title": "Checkout is down", "severity": "sev1", "team_id": "shop", "service_ids": ["web", "pay"],
                "labels": { "env": "prod", "zone": "eu=1", "long": long } }),
        json!({ "title": "Slow search", "severity": "sev3", "team_id": "search", "summary": "Zürich is slow",
                "labels": { "env": "prod" } }),
        json!({ "title": "Disk full", "severity": "sev3" }),
        json!({ "title": "Checkout sends no mail", "severity": "sev5", "team_id": "shop", "service_ids": ["web"] }),
    ];
    let mut made = Vec::new();
    for body in bodies {
        made.push(admin.post("/api/incidents", body).await.expect(201));
    }
    let at = |n: usize, verb: &str| format!("{}/{verb}", made[n].location());
    admin.post(&at(0, "acknowledge"), json!({})).await.expect(200);
    admin.post(&at(1, "assign"), json!({ "to": ["ann"] })).await.expect(200);
    let last = admin.post(&at(2, "resolve"), json!({})).await.expect(200);
    let (down, slow, full, mail) = ("Checkout is down", "Slow search", "Disk full", "Checkout sends no mail");
    let second = made[1].json()["created_at"].clone();
    let cases: Vec<(String, Vec<&str>)> = vec![
        (String::new(), vec![mail, full, slow, down]),
        ("sort=created_at".to_owned(), vec![down, slow, full, mail]),
        ("sort=-updated_at".to_owned(), vec![full, slow, down, mail]),
        ("sort=updated_at".to_owned(), vec![mail, down, slow, full]),
        ("status=active".to_owned(), vec![mail, slow, down]),
        ("status=acknowledged,resolved".to_owned(), vec![full, down]),
        ("status=active,resolved&severity=sev3".to_owned(), vec![full, slow]),
        ("status=merged".to_owned(), vec![]),
        ("severity=sev1,critical,sev5".to_owned(), vec![mail, down]),
        ("team_id=shop".to_owned(), vec![mail, down]),
        ("team_id=shop&status=acknowledged".to_owned(), vec![down]),
        ("team_id=global".to_owned(), vec![full]),
        ("team_id=nobody".to_owned(), vec![]),
        ("service_id=web".to_owned(), vec![mail, down]),
        ("service_id=pay".to_owned(), vec![down]),
        ("assignee=ann".to_owned(), vec![slow]),
        ("label=env=prod".to_owned(), vec![slow, down]),
        ("label=env=prod&label=zone=eu%3D1".to_owned(), vec![down]),
        ("label=env=".to_owned(), vec![]),
        (format!("label=long={long}"), vec![down]),
        ("q=checkout".to_owned(), vec![mail, down]),
        ("q=CHECKOUT%20dow".to_owned(), vec![down]),
        ("q=dow%20checkout".to_owned(), vec![]),
        ("q=zurich".to_owned(), vec![slow]),
        ("q=is&team_id=search".to_owned(), vec![slow]),
        ("q=".to_owned(), vec![mail, full, slow, down]),
        (format!("created_before={}&sort=created_at", quoted(&second)), vec![down]),
        (format!("created_after={}&q=s", quoted(&second)), vec![mail, slow]),
    ];
    for (query, expected) in cases {
        assert_eq!(found(&admin, &last, &format!("/api/incidents?{query}")).await, expected, "{query}");
    }
    // A list shows the documents themselves.
    let shown = items(&admin.get(&format!("/api/incidents?q={}", "disk")).await.expect(200));
    assert_eq!(shown, [last.json()]);
}

async fn runbooks_are_found_by_what_they_are(serving: Serving) {
    let (admin, author) = (serving.admin(), serving.somebody("team_manager"));
    let make = |name: &str, more: Value| {
        let mut body = runbook(name);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let author = author.clone();
        async move { author.post("/api/runbooks", body).await.expect(201) }
    };
    let restart = make("Restart", json!({ "team_id": "shop", "tags": ["quick", "safe"] })).await;
    let failover = make("Fail over", json!({ "environment": "production", "tags": ["quick"] })).await;
    let purge = make("Purge", json!({ "team_id": "search" })).await;
    let gone = make("Gone", json!({ "tags": ["quick"] })).await;
    let post = |reply: &Reply, verb: &str| {
        let (author, admin, path) = (author.clone(), admin.clone(), format!("{}/{verb}", reply.location()));
        let by = if verb == "submit" { author } else { admin };
        async move { by.post(&path, json!({})).await.expect(200) }
    };
    post(&restart, "submit").await;
    post(&restart, "approve").await;
    post(&failover, "submit").await;
    post(&purge, "submit").await;
    post(&purge, "approve").await;
    post(&purge, "deprecate").await;
    author.ask("DELETE", &format!("{}/draft", gone.location())).send().await.expect(204);
    let last = author.put(&restart.location(), runbook("Restart gently")).await.expect(200);
    let cases = [
        ("", vec!["Fail over", "Purge", "Restart"]),
        ("sort=-name", vec!["Restart", "Purge", "Fail over"]),
        ("sort=created_at", vec!["Restart", "Fail over", "Purge"]),
        ("sort=-created_at", vec!["Purge", "Fail over", "Restart"]),
        ("sort=-updated_at", vec!["Restart", "Purge", "Fail over"]),
        ("sort=updated_at", vec!["Fail over", "Purge", "Restart"]),
        ("status=approved", vec!["Restart"]),
        ("status=DRAFT", vec!["Fail over"]),
        ("status=Deprecated", vec!["Purge"]),
        ("draft=editing", vec!["Restart"]),
        ("draft=pending", vec!["Fail over"]),
        ("team_id=shop", vec!["Restart"]),
        ("team_id=global", vec!["Fail over"]),
        ("environment=production", vec!["Fail over"]),
        ("environment=staging", vec![]),
        ("tag=quick", vec!["Fail over", "Restart"]),
        ("tag=quick&tag=safe", vec!["Restart"]),
        ("tag=quic", vec![]),
        ("q=rest", vec!["Fail over", "Purge", "Restart"]),
        ("q=restart%20", vec!["Restart"]),
        ("q=gently", vec![]),
        ("q=over%20", vec!["Fail over"]),
        ("q=pods&tag=quick&sort=-name", vec!["Restart", "Fail over"]),
    ];
    for (query, expected) in cases {
        assert_eq!(found(&admin, &last, &format!("/api/runbooks?{query}")).await, expected, "{query}");
    }
}

/// Follows the cursors to the end.
async fn walked(client: &Client, path: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{path}{cursor}")).await.expect(200).json();
        let found = page["items"].as_array().unwrap().clone();
        assert!(!found.is_empty() || all.is_empty(), "no empty page behind another: {path}");
        all.extend(found);
        let Some(next) = page["next_cursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

async fn pages_add_up_in_every_order(serving: Serving) {
    let admin = serving.admin();
    for n in 0..23 {
        let severity = format!("sev{}", n % 3 + 1);
        admin.post("/api/incidents", json!({ "title": format!("Down {n}"), "severity": severity })).await.expect(201);
    }
    for query in ["", "sort=created_at", "sort=updated_at", "severity=sev1,sev2", "q=down", "sort=-updated_at&q=dow"] {
        let whole = items(&admin.get(&format!("/api/incidents?limit=200&{query}")).await.expect(200));
        assert!(whole.len() >= 15, "{query}");
        for limit in [1, 4, 23, 24] {
            let walked = walked(&admin, &format!("/api/incidents?limit={limit}&{query}")).await;
            assert_eq!(walked, whole, "{query} by {limit}");
        }
    }
    // What moves meanwhile moves alone: nobody else is skipped or shown twice.
    let first = admin.get("/api/incidents?limit=10&sort=-updated_at").await.expect(200).json();
    let ids = |items: &Value| -> Vec<String> {
        items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let (seen, oldest) = (ids(&first["items"]), items(&admin.get("/api/incidents?limit=1&sort=updated_at").await));
    let moved = oldest[0]["id"].as_str().unwrap().to_owned();
    admin.post(&format!("/api/incidents/{moved}/notes"), json!({ "text": "x" })).await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest =
        admin.get(&format!("/api/incidents?limit=200&sort=-updated_at&cursor={cursor}")).await.expect(200).json();
    let rest = ids(&rest["items"]);
    assert_eq!(rest.len(), 12, "all but those seen, and the one that moved to the front");
    assert!(rest.iter().all(|id| *id != moved && !seen.contains(id)));

    // A cursor is of one list and one order.
    for foreign in [
        format!("/api/incidents?cursor={cursor}"),
        format!("/api/incidents?sort=updated_at&cursor={cursor}"),
        format!("/api/runbooks?sort=-updated_at&cursor={cursor}"),
    ] {
        admin.get(&foreign).await.faults(&["/query/cursor"]);
    }
}

async fn what_cannot_be_asked_for_is_said(serving: Serving) {
    let admin = serving.admin();
    let wrong = "status=gone&severity=sev9&team_id=a%20b&service_id=&assignee=%00&label=x&created_after=today&\
                 created_before=2026-01-01&q=%E2%80%A6&sort=name&limit=201&cursor=x&page=2";
    let reply = admin.get(&format!("/api/incidents?{wrong}")).await.problem(400, "invalid");
    let mut pointers: Vec<&str> =
        reply["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    let mut expected: Vec<String> =
        wrong.split('&').map(|pair| format!("/query/{}", pair.split_once('=').unwrap().0)).collect();
    expected.sort_unstable();
    assert_eq!(pointers, expected);
    for (query, pointer) in [
        ("status=active", "status"),
        ("status=", "status"),
        ("draft=none", "draft"),
        ("environment=", "environment"),
        ("tag=", "tag"),
        ("tag=%00", "tag"),
        ("sort=status", "sort"),
        ("sort=-", "sort"),
        ("status=DRAFT&status=DRAFT", "status"),
        ("as_of=1", "as_of"),
        (&format!("q={}", "w+".repeat(17)), "q"),
        (&"tag=x&".repeat(11), "tag"),
    ] {
        admin.get(&format!("/api/runbooks?{query}")).await.faults(&[&format!("/query/{pointer}")]);
    }
    // Made up, but well made: of no list, or with a value that no column holds.
    for forged in [
        json!(["runbooks", "name", false, 7, "k"]),
        json!(["runbooks", "name", false, null, "k"]),
        json!(["runbooks", null, false, null, "k"]),
        json!(["runbooks", "name", false, "\u{0}", "k"]),
        json!(["runbooks", "name; DROP", false, "x", "k"]),
    ] {
        let cursor = base64_url(&forged.to_string());
        admin.get(&format!("/api/runbooks?cursor={cursor}")).await.faults(&["/query/cursor"]);
    }
    let sound = base64_url(&json!(["runbooks", "name", false, "x", "k"]).to_string());
    admin.get(&format!("/api/runbooks?cursor={sound}")).await.expect(200);
}

/// Base64 for URLs, without padding.
fn base64_url(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = |bits: u32| char::from(DIGITS[(bits & 63) as usize]);
    let encode = |chunk: &[u8]| {
        let bits = (0..3).fold(0, |bits, n| bits << 8 | u32::from(chunk.get(n).copied().unwrap_or(0)));
        let digits = [digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)];
        digits[..=chunk.len()].iter().collect::<String>()
    };
    text.as_bytes().chunks(3).map(encode).collect()
}

/// API tokens hold their role everywhere; how far roles in single teams reach is shown by the tests of `commands`.
async fn every_role_sees_what_it_may(serving: Serving) {
    let admin = serving.admin();
    for team in [json!("shop"), json!("search"), json!(null)] {
        let mut body = runbook("Restart");
        body["team_id"] = team.clone();
        admin.post("/api/runbooks", body).await.expect(201);
        admin.post("/api/incidents", json!({ "title": "Down", "team_id": team })).await.expect(201);
    }
    for role in ["platform_admin", "team_manager", "responder", "auditor"] {
        let client = serving.somebody(role);
        for path in ["/api/runbooks", "/api/incidents"] {
            assert_eq!(items(&client.get(path).await.expect(200)).len(), 3, "{role} {path}");
        }
    }
    let viewer = serving.somebody("viewer");
    for path in ["/api/runbooks", "/api/incidents", "/api/overview"] {
        viewer.get(path).await.problem(403, "denied");
    }
}

async fn whoever_writes_finds_it_at_once(serving: Serving) {
    let admin = serving.admin();
    for n in 0..25 {
        let title = format!("Unheard of {n}");
        let made = admin.post("/api/incidents", json!({ "title": title })).await.expect(201);
        let list = admin.get_after(&made, &format!("/api/incidents?limit=1&q=unheard%20of%20{n}%20")).await.expect(200);
        assert_eq!(listed(&list, "title"), [title]);
        assert!(list.number() >= made.number(), "{} {}", list.position(), made.position());
        assert_eq!(admin.get(&made.location()).await.expect(200).text, made.text, "its own view has it already");
    }
    let last = admin.new_runbook("Last").await;
    let position = admin.get(&last).await.expect(200);
    let epoch = position.position().split_once(':').unwrap().0.to_owned();
    for path in ["/api/incidents", "/api/runbooks", "/api/overview"] {
        let ask = |min: String| admin.ask("GET", path).header("pagefree-min-position", &min).send();
        ask(format!("{epoch}:{}", position.number() + 1)).await.problem(503, "behind");
        ask("ffffffffffff:1".to_owned()).await.problem(412, "other_history");
        ask("x".to_owned()).await.faults(&["/header/pagefree-min-position"]);
    }
}
