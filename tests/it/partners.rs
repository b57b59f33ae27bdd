//! Partners at the door: what they may read, that it acts at once when they may not, and that all of it is recorded.

use std::time::Duration;

use api::{Access, ROUTES};
use jiff::Timestamp;
use projections::status::File;
use serde_json::{Value, json};
use storage::bulk::digest;

use crate::client::{Client, Reply};
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    a_secret_is_exchanged_for_a_token_and_that_reads,
    whatever_changes_acts_at_once,
    secrets_are_rotated_and_removed,
    nobody_else_passes_here_and_partners_pass_nowhere_else,
    forged_tokens_are_nobody_s,
    nothing_leaks_on_any_surface,
    every_access_is_recorded_and_proven,
);

fn id(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

/// A page with two components, and a grant of the first of them.
struct House {
    admin: Client,
    page: String,
    mine: String,
    other: String,
    grant: String,
    secret: String,
}

async fn granted(admin: &Client, scope: &Value) -> String {
    #[expect(clippy::disallowed_methods, reason = "somebody must say what time it is")]
    let until = Timestamp::now().checked_add(Duration::from_hours(24)).unwrap();
    let body = json!({ "organisation": "Cobbler", "scope": scope, "until": until, "reason": "they sell with us" });
    admin.post("/api/partner-grants", body).await.expect(201).location()
}

async fn secret(admin: &Client, grant: &str) -> Value {
    admin.post(&format!("{grant}/tokens"), json!({ "name": "their program" })).await.expect(201).json()
}

impl House {
    async fn of(serving: &Serving) -> Self {
        let admin = serving.admin();
        let page = admin.new_status_page().await;
        let mine = admin.new_component(&page, json!({ "name": "Seen part", "service_ids": ["pay"] })).await;
        let other = admin.new_component(&page, json!({ "name": "Hidden part", "service_ids": ["find"] })).await;
        let grant = granted(&admin, &json!({ (id(&page)): { "components": [mine] } })).await;
        let secret = secret(&admin, &grant).await["secret"].as_str().unwrap().to_owned();
        Self { admin, page, mine, other, grant, secret }
    }

    fn path(&self) -> String {
        format!("/api/partner/pages/{}", id(&self.page))
    }
}

/// A partner's program, with a fresh token.
async fn partner(serving: &Serving, secret: &str) -> Client {
    let made = Client::new(&serving.url, Some(secret)).post("/api/partner/token", json!({})).await.expect(200).json();
    assert_eq!((&made["token_type"], &made["expires_in"]), (&json!("Bearer"), &json!(600)));
    Client::new(&serving.url, made["access_token"].as_str())
}

async fn a_secret_is_exchanged_for_a_token_and_that_reads(serving: Serving) {
    let house = House::of(&serving).await;
    assert!(house.secret.starts_with("pfp_"));
    let partner = partner(&serving, &house.secret).await;
    let pages = partner.get("/api/partner/pages").await.expect(200).json();
    assert_eq!(pages["items"].as_array().unwrap().len(), 1);
    assert_eq!(pages["items"][0]["page"]["id"], json!(id(&house.page)));
    let summary = partner.get(&house.path()).await.expect(200);
    assert_eq!(summary.header("cache-control"), "no-store");
    assert_eq!(summary.json()["components"][0]["name"], "Seen part");
    for file in File::ALL {
        let of = |base: &str| format!("{base}/{}/api/v2/{}", id(&house.page), file.path());
        let reply = partner.get(&of("/api/partner/pages")).await.expect(200);
        assert_eq!(partner.get(&of("/api/status/pages")).await.expect(200).text, reply.text);
        let head = partner.ask("HEAD", &of("/api/partner/pages")).send().await.expect(200);
        assert_eq!(head.text, "");
    }
    let status = partner.get(&format!("{}/api/v2/status.json", house.path())).await.expect(200).json();
    assert_eq!(status["status"], json!({ "indicator": "none", "description": "All Systems Operational" }));
    for missing in ["/api/partner/pages/unknown".to_owned(), format!("{}/api/v2/secrets.json", house.path())] {
        partner.get(&missing).await.problem(404, "not_found");
    }
    let foreign = house.admin.new_status_page().await;
    partner.get(&format!("/api/partner/pages/{}", id(&foreign))).await.problem(404, "not_found");
    partner.get(&format!("{}?as_of=1", house.path())).await.faults(&["/query/as_of"]);
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        partner.ask(method, &house.path()).send().await.problem(405, "method");
    }
    let keys = serving.anonymous().get("/.well-known/jwks.json").await.expect(200).json();
    assert_eq!((&keys["keys"][0]["alg"], &keys["keys"][0]["d"]), (&json!("EdDSA"), &Value::Null));
}

async fn whatever_changes_acts_at_once(serving: Serving) {
    let house = House::of(&serving).await;
    let partner = partner(&serving, &house.secret).await;
    let names = || async {
        let seen = partner.get(&house.path()).await;
        let all = |page: Value| {
            let parts = page["components"].as_array().unwrap().clone();
            parts.iter().map(|part| part["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        if seen.status == 200 { all(seen.json()) } else { vec![seen.status.to_string()] }
    };
    let change = |verb: &'static str| {
        let (admin, path) = (house.admin.clone(), format!("{}/{verb}", house.grant));
        async move { admin.post(&path, json!({ "reason": "x" })).await.expect(200) }
    };
    assert_eq!(names().await, ["Seen part"]);
    change("suspend").await;
    partner.get(&house.path()).await.problem(403, "grant_shut");
    // Nor is there a token to be had.
    let program = Client::new(&serving.url, Some(&house.secret));
    program.post("/api/partner/token", json!({})).await.problem(403, "grant_shut");
    change("resume").await;
    assert_eq!(names().await, ["Seen part"]);
    let scope = |scope: Value| {
        let (admin, path) = (house.admin.clone(), format!("{}/scope", house.grant));
        async move { admin.put(&path, json!({ "scope": scope, "reason": "x" })).await.expect(200) }
    };
    scope(json!({ (id(&house.page)): "all" })).await;
    assert_eq!(names().await, ["Seen part", "Hidden part"]);
    scope(json!({ (id(&house.page)): { "components": [house.other] } })).await;
    assert_eq!(names().await, ["Hidden part"]);
    let another = house.admin.new_status_page().await;
    scope(json!({ (id(&another)): "all" })).await;
    assert_eq!(names().await, ["404"]);
    change("revoke").await;
    partner.get(&house.path()).await.problem(403, "grant_shut");
    house.admin.post(&format!("{}/tokens", house.grant), json!({ "name": "x" })).await.problem(409, "grant_revoked");
}

async fn secrets_are_rotated_and_removed(serving: Serving) {
    let house = House::of(&serving).await;
    let (admin, tokens) = (&house.admin, format!("{}/tokens", house.grant));
    admin.post(&tokens, json!({ "name": " " })).await.faults(&["/name"]);
    let listed = admin.get(&tokens).await.expect(200);
    assert!(!listed.text.contains("pfp_") && !listed.text.contains("hash"), "{}", listed.text);
    let old = listed.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let by_old = partner(&serving, &house.secret).await;
    let new = admin.post(&format!("{tokens}/{old}/rotate"), json!({})).await.expect(201).json();
    // Both are good for a day.
    let by_new = partner(&serving, new["secret"].as_str().unwrap()).await;
    let still = partner(&serving, &house.secret).await;
    for one in [&by_old, &by_new, &still] {
        one.get(&house.path()).await.expect(200);
    }
    let all = admin.get(&tokens).await.expect(200).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    assert!(all["items"][1]["expires_at"].is_string() && all["items"][0]["expires_at"].is_null(), "{all}");
    // Removed, it takes its tokens with it.
    admin.ask("DELETE", &format!("{tokens}/{old}")).send().await.expect(204);
    by_old.get(&house.path()).await.problem(401, "unauthenticated");
    Client::new(&serving.url, Some(&house.secret))
        .post("/api/partner/token", json!({}))
        .await
        .problem(401, "unauthenticated");
    by_new.get(&house.path()).await.expect(200);
    admin.ask("DELETE", &format!("{tokens}/{old}")).send().await.problem(404, "secret_missing");
    admin.post(&format!("{tokens}/{old}/rotate"), json!({})).await.problem(404, "secret_missing");
    admin.post("/api/partner-grants/none/tokens", json!({ "name": "x" })).await.problem(404, "not_found");
}

fn filled(path: &str, house: &House) -> String {
    let path = path.replace("{page}", &id(&house.page)).replace("{file:.*}", "summary.json");
    ["{id}", "{component}", "{number}", "{token}", "{view}"].iter().fold(path, |path, part| path.replace(part, "x"))
}

async fn nobody_else_passes_here_and_partners_pass_nowhere_else(serving: Serving) {
    let house = House::of(&serving).await;
    let program = Client::new(&serving.url, Some(&house.secret));
    let partner = partner(&serving, &house.secret).await;
    let mut tried = 0;
    for route in ROUTES {
        let path = filled(route.path, &house);
        let strangers: Vec<Client> = match route.access {
            Access::Open => vec![],
            Access::Holding(_) | Access::Person => vec![partner.clone(), program.clone()],
            Access::Partner => {
                vec![house.admin.clone(), serving.somebody("auditor"), program.clone(), serving.anonymous()]
            }
            Access::PartnerSecret => vec![house.admin.clone(), partner.clone(), serving.anonymous()],
        };
        for stranger in strangers {
            let reply = stranger.ask(route.method, &path).json(&json!({})).send().await;
            assert_eq!(reply.status, 401, "{} {path}: {}", route.method, reply.text);
            tried += 1;
        }
        if route.access == Access::Partner {
            assert_eq!(route.method, "GET", "partners read");
            partner.get(&path).await.expect(200);
        }
    }
    assert!(tried > 100, "{tried}");
}

async fn forged_tokens_are_nobody_s(serving: Serving) {
    let house = House::of(&serving).await;
    let made = Client::new(&serving.url, Some(&house.secret)).post("/api/partner/token", json!({})).await.json();
    let token = made["access_token"].as_str().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let flipped: String = signature.chars().rev().collect();
    // {"alg":"none","typ":"partner+jwt"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoicGFydG5lcitqd3QifQ";
    let other: String = claims.chars().map(|c| if c == 'a' { 'b' } else { c }).collect();
    let forged = [
        format!("{header}.{claims}.{flipped}"),
        format!("{header}.{other}.{signature}"),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{header}.{claims}"),
        house.secret.replace("pfp_", "pfp_x"),
        "x".repeat(3_000),
    ];
    for forged in forged {
        let reply = Client::new(&serving.url, Some(&forged)).get(&house.path()).await;
        reply.problem(401, "unauthenticated");
    }
    // The control: untouched, it is good.
    Client::new(&serving.url, Some(token)).get(&house.path()).await.expect(200);
}

/// Everything that a partner can read.
async fn surfaces(client: &Client, house: &House) -> Vec<(String, Reply)> {
    let mut all = Vec::new();
    for route in ROUTES.iter().filter(|route| route.access == Access::Partner) {
        let page = route.path.replace("{page}", &id(&house.page));
        let files = File::ALL.iter().map(|file| page.replace("{file:.*}", file.path()));
        let paths: Vec<String> = if page.contains("{file") { files.collect() } else { vec![page] };
        for path in paths {
            let reply = client.get(&path).await;
            all.push((path, reply));
        }
    }
    all
}

/// What must not be seen: names, ids and effects of what is hidden, and what only the house knows.
async fn nothing_leaks_on_any_surface(serving: Serving) {
    let house = House::of(&serving).await;
    let status = |part: &str| format!("{}/components/{part}/status", house.page);
    let body = json!({ "title": "Secret incident", "severity": "sev1", "service_ids": ["find"] });
    let incident = house.admin.post("/api/incidents", body).await.expect(201).location();
    let calm = surfaces(&partner(&serving, &house.secret).await, &house).await;
    let why = json!({ "status": "major_outage", "reason": "house words" });
    house.admin.post(&status(&house.other), why).await.expect(200);
    house.admin.post(&format!("{incident}/notes"), json!({ "text": "x" })).await.expect(200);
    let secrets = ["Hidden part", house.other.as_str(), "major", "critical"];
    let internal = ["Secret incident", &id(&incident), "house words", "\"pay\"", "\"find\"", "Cobbler"];

    let whole = granted(&house.admin, &json!({ (id(&house.page)): "all" })).await;
    let whole = secret(&house.admin, &whole).await["secret"].as_str().unwrap().to_owned();
    let (mine, whole) = (partner(&serving, &house.secret).await, partner(&serving, &whole).await);
    let (seen, all) = (surfaces(&mine, &house).await, surfaces(&whole, &house).await);
    assert_eq!(seen.len(), 20);
    let mut found = 0;
    for (((path, before), (_, after)), (_, wide)) in calm.iter().zip(&seen).zip(&all) {
        assert_eq!((after.status, wide.status), (200, 200), "{path}");
        // What happens outside of his scope changes not one byte of what he sees.
        assert_eq!(before.text, after.text, "{path}");
        for secret in secrets {
            assert!(!after.text.contains(secret), "{path} tells of {secret}: {}", after.text);
            // The control: who may see it does, and the search finds it.
            found += usize::from(wide.text.contains(secret));
        }
        for word in internal {
            assert!(!after.text.contains(word) && !wide.text.contains(word), "{path} tells of {word}");
        }
    }
    assert!(found > 10, "the search finds nothing anywhere: {found}");
    // A leak put in on purpose: wider than meant, and the same comparison sees it.
    let wider =
        json!({ "scope": { (id(&house.page)): { "components": [house.mine, house.other] } }, "reason": "a leak" });
    house.admin.put(&format!("{}/scope", house.grant), wider).await.expect(200);
    let leaking = surfaces(&mine, &house).await;
    assert!(leaking.iter().any(|(_, reply)| secrets.iter().any(|secret| reply.text.contains(secret))));
}

async fn every_access_is_recorded_and_proven(serving: Serving) {
    let house = House::of(&serving).await;
    let program = Client::new(&serving.url, Some(&house.secret));
    let partner = partner(&serving, &house.secret).await;
    partner
        .ask("GET", &house.path())
        .header("x-request-id", "r-1")
        .header("user-agent", "Their program 7")
        .send()
        .await;
    partner.get("/api/partner/pages/unknown").await.problem(404, "not_found");
    house.admin.post(&format!("{}/suspend", house.grant), json!({ "reason": "x" })).await.expect(200);
    partner.get(&house.path()).await.problem(403, "grant_shut");
    program.post("/api/partner/token", json!({})).await.problem(403, "grant_shut");

    let path = format!("{}/accesses", house.grant);
    let log = house.admin.get(&path).await.expect(200).json();
    let rows = log["items"].as_array().unwrap();
    let told: Vec<(&str, bool, u64)> = rows
        .iter()
        .map(|row| (row["route"].as_str().unwrap(), row["allowed"].as_bool().unwrap(), row["status"].as_u64().unwrap()))
        .collect();
    let show = "/api/partner/pages/{page}";
    let token = "/api/partner/token";
    assert_eq!(
        told,
        [(token, true, 200), (show, true, 200), (show, false, 404), (show, false, 403), (token, false, 403)]
    );
    let read = &rows[1];
    assert_eq!((&read["request_id"], &read["components"]), (&json!("r-1"), &json!([house.mine])));
    assert!(read["bytes"].as_u64().unwrap() > 100 && read["token_id"].is_string(), "{read}");
    assert_eq!((&rows[2]["reason"], &rows[3]["reason"]), (&json!("out_of_scope"), &json!("suspended")));
    // Nobody's address and nobody's program stands there in clear.
    assert!(!log.to_string().contains("127.0.0.1") && !log.to_string().contains("Their program"), "{log}");
    assert!(!log.to_string().contains("pfp_"));

    // Pages add up.
    let first = house.admin.get(&format!("{path}?limit=2")).await.expect(200).json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = house.admin.get(&format!("{path}?cursor={cursor}")).await.expect(200).json();
    let both: Vec<Value> = [&first, &rest].iter().flat_map(|page| page["items"].as_array().unwrap().clone()).collect();
    assert_eq!(&both, rows);
    house.admin.get(&format!("{path}?cursor=x")).await.faults(&["/query/cursor"]);

    // The log proves the rows: as many, and these.
    let store = serving.store().await;
    for row in rows {
        let position = row["position"].as_u64().unwrap();
        let event = store.read_after(position - 1, 1).await.unwrap().remove(0);
        let payload: Value = serde_json::from_str(&event.payload).unwrap();
        let bodies: Vec<Vec<u8>> = store.bulk_of(position).await.unwrap().into_iter().map(|row| row.body).collect();
        let proof = |bodies: &[Vec<u8>]| digest(bodies.iter().map(Vec::as_slice));
        assert_eq!(
            (payload["count"].as_u64(), payload["sha256"].as_str()),
            (Some(bodies.len() as u64), Some(&*proof(&bodies).hex()))
        );
        // The control: a row that was changed is not proven.
        let mut changed = bodies.clone();
        changed[0][10] ^= 1;
        assert_ne!(payload["sha256"].as_str(), Some(&*proof(&changed).hex()));
    }
}
