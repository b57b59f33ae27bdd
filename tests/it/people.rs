//! People over HTTP: the first run, signing in and out, roles, teams, tokens, and somebody who is erased.

use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    the_first_run_makes_an_admin_who_is_signed_in,
    a_change_in_a_session_needs_its_token,
    wrong_passwords_are_refused_and_then_wait,
    somebody_is_invited_works_and_leaves,
    a_team_manager_keeps_to_his_team,
    a_token_of_one_s_own,
    the_erased_are_gone_from_every_answer,
);

const PASSWORD: &str = "violet anvils hum at dusk";

/// Somebody in a browser: a cookie, and what proves that a change is his.
#[derive(Debug, Clone)]
struct Browser {
    client: Client,
    cookie: String,
    csrf: String,
    user: String,
}

impl Browser {
    fn of(client: Client, entered: &Reply) -> Self {
        let set = entered.headers.get(SET_COOKIE).expect("a cookie").to_str().unwrap();
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
        let session = entered.json();
        Self {
            client,
            cookie: set.split(';').next().unwrap().to_owned(),
            csrf: session["csrf_token"].as_str().unwrap().to_owned(),
            user: session["user_id"].as_str().unwrap().to_owned(),
        }
    }

    async fn get(&self, path: &str) -> Reply {
        self.client.ask("GET", path).header("cookie", &self.cookie).send().await
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        let ask = self.client.ask(method, path).header("cookie", &self.cookie).header("x-csrf-token", &self.csrf);
        ask.json(&body).send().await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, body).await
    }
}

/// The code of the first run, as the server printed it.
fn code(serving: &Serving) -> String {
    let line = serving.greeting.lines().map(str::trim).skip_while(|line| !line.ends_with(':')).nth(2);
    line.expect("a code").to_owned()
}

async fn set_up(serving: &Serving) -> Browser {
    let anonymous = serving.anonymous();
    let who = json!({ "code": code(serving), "name": "Ada", "email": "ada@example.com", "password": PASSWORD });
    let entered = anonymous.post("/api/setup", who).await.expect(201);
    Browser::of(anonymous, &entered)
}

/// Lets somebody in and signs him in by his link.
async fn invited(admin: &Browser, email: &str, roles: Value) -> Browser {
    let who = json!({ "name": "Ben Becker", "email": email, "roles": roles });
    let user = admin.post("/api/users", who).await.expect(201).json();
    let path = format!("/api/users/{}/invitation", user["id"].as_str().unwrap());
    let link = admin.post(&path, json!({})).await.expect(201).json();
    let body = json!({ "token": link["token"], "password": PASSWORD });
    let entered = admin.client.post("/api/invitations/redeem", body.clone()).await.expect(201);
    admin.client.post("/api/invitations/redeem", body).await.problem(403, "link_spent");
    Browser::of(admin.client.clone(), &entered)
}

async fn sign_in(client: &Client, email: &str, password: &str) -> Reply {
    client.post("/api/session", json!({ "email": email, "password": password })).await
}

async fn the_first_run_makes_an_admin_who_is_signed_in(serving: Serving) {
    let anonymous = serving.anonymous();
    anonymous.post("/api/setup", json!({ "name": 7, "email": "ada" })).await.faults(&[
        "/code",
        "/name",
        "/email",
        "/password",
    ]);
    let wrong = json!({ "code": "AAAA-AAAA", "name": "Eve", "email": "eve@example.com", "password": PASSWORD });
    anonymous.post("/api/setup", wrong).await.problem(403, "setup_code");
    let weak = json!({ "code": code(&serving), "name": "Ada", "email": "ada@example.com", "password": "password" });
    anonymous.post("/api/setup", weak).await.faults(&["/password"]);
    let ada = set_up(&serving).await;
    let session = ada.get("/api/session").await.expect(200).json();
    assert_eq!(session["user"]["name"], "Ada");
    assert_eq!(session["user"]["email"], "ada@example.com");
    assert_eq!(session["user"]["roles"], json!([{ "role": "platform_admin", "team_id": null }]));
    assert_eq!(session["csrf_token"], ada.csrf);
    let again = json!({ "code": code(&serving), "name": "Eve", "email": "eve@example.com", "password": PASSWORD });
    anonymous.post("/api/setup", again).await.problem(409, "already_set_up");
    ada.send("DELETE", "/api/session", json!({})).await.expect(204);
    ada.get("/api/session").await.problem(401, "signed_out");
    let entered = sign_in(&anonymous, " ADA@example.com ", PASSWORD).await.expect(201);
    let ada = Browser::of(anonymous, &entered);
    let sessions = ada.get("/api/me/sessions").await.expect(200).json();
    assert_eq!((sessions["items"].as_array().unwrap().len(), &sessions["items"][0]["ip"]), (1, &json!("127.0.0.1")));
}

async fn a_change_in_a_session_needs_its_token(serving: Serving) {
    let ada = set_up(&serving).await;
    let declare = json!({ "title": "Down" });
    let forged = ada.client.ask("POST", "/api/incidents").header("cookie", &ada.cookie).json(&declare).send().await;
    forged.problem(403, "csrf");
    let other = Browser { csrf: "x".to_owned(), ..ada.clone() };
    other.post("/api/incidents", declare.clone()).await.problem(403, "csrf");
    ada.post("/api/incidents", declare).await.expect(201);
    let stolen = Browser { cookie: format!("{}x", ada.cookie), ..ada };
    stolen.get("/api/incidents").await.problem(401, "signed_out");
}

async fn wrong_passwords_are_refused_and_then_wait(serving: Serving) {
    set_up(&serving).await;
    let anonymous = serving.anonymous();
    let mut waited = None;
    for n in 0..30 {
        let reply = sign_in(&anonymous, "ada@example.com", &format!("wrong {n}")).await;
        if reply.status == 429 {
            waited = Some(reply);
            break;
        }
        let unknown = sign_in(&anonymous, "nobody@example.com", "wrong").await;
        assert_eq!(reply.problem(401, "wrong_credentials")["detail"], unknown.json()["detail"]);
        if unknown.status == 429 {
            waited = Some(unknown);
            break;
        }
    }
    let waited = waited.expect("guessing comes to an end");
    assert!(waited.header("retry-after").parse::<u64>().unwrap() >= 1);
    waited.problem(429, "too_many");
}

async fn somebody_is_invited_works_and_leaves(serving: Serving) {
    let ada = set_up(&serving).await;
    let ben = invited(&ada, "ben@example.com", json!([{ "role": "responder" }])).await;
    let path = format!("/api/users/{}", ben.user);
    ben.post("/api/incidents", json!({ "title": "Down" })).await.expect(201);
    ben.post("/api/users", json!({ "name": "x", "email": "x@example.com" })).await.problem(403, "denied");
    ben.get(&path).await.expect(200);
    let taken = json!({ "name": "Ben", "email": "BEN@example.com" });
    ada.post("/api/users", taken).await.problem(409, "address_taken");
    let found = ada.get("/api/users?q=bec").await.expect(200).json();
    assert_eq!(found["items"][0]["email"], "ben@example.com", "found by the beginning of a name");
    assert_eq!(ada.get("/api/users?q=zzz").await.expect(200).json()["items"], json!([]));
    let renamed = ben.send("PATCH", "/api/me", json!({ "name": "Benjamin" })).await.expect(200).json();
    assert_eq!((&renamed["name"], &renamed["email"]), (&json!("Benjamin"), &json!("ben@example.com")));
    // His right is gone with his role, on the very next request.
    ada.send("DELETE", &format!("{path}/roles?role=responder"), json!({})).await.expect(200);
    ben.post("/api/incidents", json!({ "title": "Down" })).await.problem(403, "denied");
    ben.get("/api/me").await.expect(200);
    ada.post(&format!("{path}/deactivate"), json!({ "reason": "left" })).await.expect(200);
    ben.get("/api/me").await.problem(401, "signed_out");
    sign_in(&ben.client, "ben@example.com", PASSWORD).await.problem(401, "wrong_credentials");
    let own = format!("/api/users/{}/deactivate", ada.user);
    ada.post(&own, json!({})).await.problem(409, "last_admin");
    let history = ada.get(&format!("{path}/history")).await.expect(200).json();
    let told: Vec<&str> =
        history["items"].as_array().unwrap().iter().map(|e| e["event_type"].as_str().unwrap()).collect();
    assert_eq!(
        told,
        [
            "user.created",
            "user.invited",
            "user.password_set",
            "user.profile_changed",
            "user.role_revoked",
            "user.deactivated"
        ]
    );
}

async fn a_team_manager_keeps_to_his_team(serving: Serving) {
    let ada = set_up(&serving).await;
    let team = |reply: &Reply| reply.json()["id"].as_str().unwrap().to_owned();
    let shop = team(&ada.post("/api/teams", json!({ "name": "Shop" })).await.expect(201));
    let search = team(&ada.post("/api/teams", json!({ "name": "Search", "description": "Finds" })).await.expect(201));
    let ben = invited(&ada, "ben@example.com", json!([{ "role": "team_manager", "team_id": shop }])).await;
    let carl = invited(&ada, "carl@example.com", json!([])).await;
    let roles = format!("/api/users/{}/roles", carl.user);
    ben.post(&roles, json!({ "role": "responder", "team_id": search })).await.problem(403, "denied");
    ben.post(&roles, json!({ "role": "responder" })).await.problem(403, "denied");
    ben.post(&roles, json!({ "role": "platform_admin" })).await.problem(403, "denied");
    carl.get("/api/teams").await.problem(403, "denied");
    ben.post(&roles, json!({ "role": "responder", "team_id": shop })).await.expect(200);
    assert_eq!(carl.get("/api/teams").await.expect(200).json()["items"].as_array().unwrap().len(), 2);
    ben.send("PATCH", &format!("/api/teams/{search}"), json!({ "name": "x" })).await.problem(403, "denied");
    ben.send("PATCH", &format!("/api/teams/{shop}"), json!({ "name": "The shop" })).await.expect(200);
    ada.post(&format!("/api/teams/{search}/archive"), json!({})).await.expect(200);
    let grant = json!({ "role": "responder", "team_id": search });
    ada.post(&roles, grant).await.faults(&["/team_id"]);
    let listed = ada.get("/api/teams?q=shop").await.expect(200).json();
    assert_eq!(listed["items"][0]["name"], "The shop");
}

async fn a_token_of_one_s_own(serving: Serving) {
    let ada = set_up(&serving).await;
    let ben = invited(&ada, "ben@example.com", json!([{ "role": "responder" }])).await;
    let beyond = json!({ "name": "laptop", "roles": [{ "role": "platform_admin" }] });
    ben.post("/api/me/tokens", beyond).await.problem(403, "beyond_owner");
    let wanted = json!({ "name": "laptop", "roles": [{ "role": "responder" }], "read_only": true });
    let made = ben.post("/api/me/tokens", wanted).await.expect(201).json();
    let laptop = Client::new(&serving.url, made["token"].as_str());
    laptop.get("/api/incidents").await.expect(200);
    laptop.post("/api/incidents", json!({ "title": "Down" })).await.problem(403, "denied");
    laptop.get("/api/me").await.problem(403, "denied");
    laptop
        .post("/api/me/tokens", json!({ "name": "x", "roles": [{ "role": "responder" }] }))
        .await
        .problem(403, "denied");
    let listed = ben.get("/api/me/tokens").await.expect(200).json();
    assert_eq!(listed["items"][0]["name"], "laptop");
    assert!(!listed.to_string().contains(made["token"].as_str().unwrap()));
    let path = format!("/api/me/tokens/{}", made["id"].as_str().unwrap());
    ada.send("DELETE", &path, json!({})).await.problem(404, "not_found");
    ben.send("DELETE", &path, json!({})).await.expect(204);
    laptop.get("/api/incidents").await.problem(401, "unauthenticated");
    let service = json!({ "name": "ci", "roles": [{ "role": "platform_admin" }] });
    ada.post("/api/tokens", service).await.problem(403, "service_admin");
    let service = json!({ "name": "ci", "roles": [{ "role": "auditor" }], "expires_at": "2020-01-01T00:00:00Z" });
    ada.post("/api/tokens", service).await.faults(&["/expires_at"]);
}

async fn the_erased_are_gone_from_every_answer(serving: Serving) {
    let ada = set_up(&serving).await;
    let ben = invited(&ada, "ben@example.com", json!([{ "role": "responder" }])).await;
    let path = format!("/api/users/{}", ben.user);
    let before = ada.get(&path).await.expect(200);
    assert!(before.text.contains("Ben Becker") && before.text.contains("ben@example.com"), "the control");
    let erased = ada.post(&format!("{path}/erase"), json!({ "reason": "asked for it" })).await.expect(200).json();
    assert_eq!((&erased["status"], &erased["name"], &erased["roles"]), (&json!("erased"), &json!(null), &json!([])));
    let then = format!("{path}?as_of={}", before.position());
    let then = ada.get(&then).await.expect(200);
    assert_eq!(then.json()["name"], "erased");
    for path in [path.clone(), format!("{path}/history"), "/api/users?status=erased".to_owned(), then.text.clone()] {
        let text = if path.starts_with('/') { ada.get(&path).await.expect(200).text } else { path };
        assert!(!text.contains("Becker") && !text.contains("ben@"), "{text}");
    }
    ben.get("/api/me").await.problem(401, "signed_out");
    ada.post(&format!("{path}/reactivate"), json!({})).await.problem(409, "user_erased");
    invited(&ada, "ben@example.com", json!([])).await;
}
