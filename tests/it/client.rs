//! A client as users write them: a base address, a token, JSON.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// A request that is still being put together.
#[derive(Debug)]
pub(crate) struct Ask(reqwest::RequestBuilder);

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Client {
    pub(crate) fn new(base: &str, token: Option<&str>) -> Self {
        Self { http: reqwest::Client::new(), base: base.to_owned(), token: token.map(str::to_owned) }
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}{path}", self.base));
        Ask(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path).send().await
    }

    /// At least as it was after an answer.
    pub(crate) async fn get_after(&self, reply: &Reply, path: &str) -> Reply {
        self.ask("GET", path).header("pagefree-min-position", &reply.position()).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask("POST", path).json(&body).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.ask("PUT", path).json(&body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        self.ask("PATCH", path).json(&body).send().await
    }

    /// A new runbook in its short form, as its path.
    pub(crate) async fn new_runbook(&self, name: &str) -> String {
        self.post("/api/runbooks", runbook(name)).await.expect(201).location()
    }

    /// A new runbook that waits for one vote, as the path of its approval.
    pub(crate) async fn new_approval(&self, name: &str) -> String {
        let path = self.new_runbook(name).await;
        self.submitted(&path, json!({})).await
    }

    /// Submits the draft of a runbook: the path of its approval.
    pub(crate) async fn submitted(&self, path: &str, body: Value) -> String {
        let reply = self.post(&format!("{path}/submit"), body).await.expect(200);
        let approval = format!("/api/approvals/{}", reply.json()["draft"]["approval"]["id"].as_str().unwrap());
        // Its own view may come a little later.
        self.get_after(&reply, &approval).await.expect(200);
        approval
    }

    /// A new status page with nothing on it, as its path.
    pub(crate) async fn new_status_page(&self) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let slug = format!("page-{}", MADE.fetch_add(1, Ordering::Relaxed));
        self.post("/api/status-pages", json!({ "slug": slug, "name": "The shop" })).await.expect(201).location()
    }

    /// A new component of a page, as its id.
    pub(crate) async fn new_component(&self, page: &str, body: Value) -> String {
        let location = self.post(&format!("{page}/components"), body).await.expect(201).location();
        location.rsplit('/').next().unwrap().to_owned()
    }

    /// A new grant of a whole page that begins far off, as its path.
    pub(crate) async fn new_grant(&self, page: &str) -> String {
        let body = json!({
            "organisation": "Cobbler",
            "scope": { (page.rsplit('/').next().unwrap()): "all" },
            "from": "2998-01-01T00:00:00Z",
            "until": "2999-01-01T00:00:00Z",
            "reason": "they sell with us",
        });
        self.post("/api/partner-grants", body).await.expect(201).location()
    }

    /// A new incident, as its path.
    pub(crate) async fn new_incident(&self, title: &str) -> String {
        self.post("/api/incidents", json!({ "title": title })).await.expect(201).location()
    }
}

/// The least that a runbook is made of.
pub(crate) fn runbook(name: &str) -> Value {
    json!({
        "name": name,
        "description": "Restarts the pods of a service, one after the other",
        "webhook_url": "https://deploy.example.com/restart",
        "payload_template": { "service": "shop" },
    })
}

impl Ask {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    /// A body as it stands, said to be JSON.
    pub(crate) fn raw(self, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.header("content-type", "application/json").body(body))
    }

    pub(crate) fn body(self, media_type: &str, body: &str) -> Self {
        Self(self.0.header("content-type", media_type).body(body.to_owned()))
    }

    pub(crate) async fn send(self) -> Reply {
        self.try_send().await.expect("an answer")
    }

    pub(crate) async fn try_send(self) -> Result<Reply, reqwest::Error> {
        let response = self.0.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply { status, headers, text: response.text().await? })
    }
}

impl Reply {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        assert!(StatusCode::from_u16(status).is_ok());
        self
    }

    /// Expects a problem of this status and type.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!(
            (self.status, &problem["type"]),
            (status, &json!(format!("urn:pagefree:problem:{code}"))),
            "{problem}"
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], status);
        for member in ["title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem}");
        }
        problem
    }

    /// Expects a 400 with faults at exactly these pointers.
    #[track_caller]
    pub(crate) fn faults(self, pointers: &[&str]) {
        let problem = self.problem(400, "invalid");
        let found: Vec<&str> =
            problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        assert_eq!(found, pointers, "{problem}");
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {} '{}'", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn location(&self) -> String {
        self.header("location").to_owned()
    }

    pub(crate) fn etag(&self) -> String {
        self.header("etag").to_owned()
    }

    /// `<epoch>:<position>`.
    pub(crate) fn position(&self) -> String {
        self.header("pagefree-position").to_owned()
    }

    /// The number in `position`.
    #[track_caller]
    pub(crate) fn number(&self) -> u64 {
        self.position().split_once(':').expect("a position").1.parse().unwrap()
    }
}
