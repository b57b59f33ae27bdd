//! Who may use which route: the whole table, written down a second time and tried out for every role.

use std::collections::BTreeSet;

use api::{Access, ROUTES};
use serde_json::{Value, json};

use crate::client::{Client, runbook};
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(every_route_admits_whom_the_table_says);

const ALL: &[&str] = &["platform_admin", "team_manager", "responder", "auditor", "viewer"];
const ADMINS: &[&str] = &["platform_admin"];
const AUDITORS: &[&str] = &["platform_admin", "auditor"];
const OVERSEERS: &[&str] = &["platform_admin", "team_manager", "auditor"];
const PUBLISHERS: &[&str] = &["platform_admin", "team_manager"];
const STAFF: &[&str] = &["platform_admin", "team_manager", "responder"];
const READERS: &[&str] = &["platform_admin", "team_manager", "responder", "auditor"];

const MANAGERS: &[&str] = &["platform_admin", "team_manager"];
/// No token is a person who is signed in: those are tried out in `people.rs`.
const PERSONS: &[&str] = &[];
/// What is open although it is no page of figures: the ways in.
const WAYS_IN: &[(&str, &str)] =
    &[("POST", "/api/setup"), ("POST", "/api/session"), ("POST", "/api/invitations/redeem")];

/// Method, path, and who is admitted.
type Row = (&'static str, &'static str, &'static [&'static str]);

const TABLE: &[Row] = &[
    ("GET", "/healthz", ALL),
    ("GET", "/readyz", ALL),
    ("GET", "/metrics", ALL),
    ("GET", "/.well-known/jwks.json", ALL),
    ("GET", "/api/overview", READERS),
    ("POST", "/api/setup", ALL),
    ("POST", "/api/session", ALL),
    ("POST", "/api/invitations/redeem", ALL),
    ("GET", "/api/session", PERSONS),
    ("DELETE", "/api/session", PERSONS),
    ("GET", "/api/me", PERSONS),
    ("PATCH", "/api/me", PERSONS),
    ("PUT", "/api/me/password", PERSONS),
    ("PUT", "/api/me/delegation", PERSONS),
    ("DELETE", "/api/me/delegation", PERSONS),
    ("GET", "/api/me/sessions", PERSONS),
    ("DELETE", "/api/me/sessions/{id}", PERSONS),
    ("GET", "/api/me/tokens", PERSONS),
    ("POST", "/api/me/tokens", PERSONS),
    ("DELETE", "/api/me/tokens/{id}", PERSONS),
    ("POST", "/api/users", ADMINS),
    ("GET", "/api/users", READERS),
    ("GET", "/api/users/{id}", READERS),
    ("PATCH", "/api/users/{id}", ADMINS),
    ("POST", "/api/users/{id}/roles", MANAGERS),
    ("DELETE", "/api/users/{id}/roles", MANAGERS),
    ("POST", "/api/users/{id}/deactivate", ADMINS),
    ("POST", "/api/users/{id}/reactivate", ADMINS),
    ("POST", "/api/users/{id}/erase", ADMINS),
    ("POST", "/api/users/{id}/invitation", ADMINS),
    ("GET", "/api/users/{id}/sessions", ADMINS),
    ("DELETE", "/api/users/{id}/sessions", ADMINS),
    ("GET", "/api/users/{id}/history", READERS),
    ("POST", "/api/teams", MANAGERS),
    ("GET", "/api/teams", READERS),
    ("GET", "/api/teams/{id}", READERS),
    ("PATCH", "/api/teams/{id}", MANAGERS),
    ("POST", "/api/teams/{id}/archive", MANAGERS),
    ("POST", "/api/teams/{id}/restore", MANAGERS),
    ("GET", "/api/teams/{id}/history", READERS),
    ("POST", "/api/tokens", ADMINS),
    ("GET", "/api/tokens", ADMINS),
    ("GET", "/api/tokens/{id}", ADMINS),
    ("DELETE", "/api/tokens/{id}", ADMINS),
    ("GET", "/api/tokens/{id}/history", ADMINS),
    ("POST", "/api/runbooks/validate", STAFF),
    ("POST", "/api/runbooks", STAFF),
    ("GET", "/api/runbooks", READERS),
    ("GET", "/api/runbooks/{id}", READERS),
    ("PUT", "/api/runbooks/{id}", STAFF),
    ("POST", "/api/runbooks/{id}/submit", STAFF),
    ("POST", "/api/runbooks/{id}/withdraw", STAFF),
    ("POST", "/api/runbooks/{id}/approve", ADMINS),
    ("POST", "/api/runbooks/{id}/reject", ADMINS),
    ("POST", "/api/runbooks/{id}/deprecate", ADMINS),
    ("DELETE", "/api/runbooks/{id}/draft", STAFF),
    ("GET", "/api/runbooks/{id}/versions", READERS),
    ("GET", "/api/runbooks/{id}/versions/{number}", READERS),
    ("GET", "/api/runbooks/{id}/history", READERS),
    ("GET", "/api/runbooks/{id}/diff", READERS),
    ("POST", "/api/approvals/bulk", STAFF),
    ("GET", "/api/approvals", READERS),
    ("GET", "/api/approvals/{id}", READERS),
    ("GET", "/api/approvals/{id}/history", READERS),
    ("POST", "/api/approvals/{id}/approve", STAFF),
    ("POST", "/api/approvals/{id}/reject", STAFF),
    ("POST", "/api/incidents", STAFF),
    ("GET", "/api/incidents", READERS),
    ("GET", "/api/incidents/{id}", READERS),
    ("PATCH", "/api/incidents/{id}", STAFF),
    ("GET", "/api/incidents/{id}/timeline", READERS),
    ("GET", "/api/incidents/{id}/history", READERS),
    ("POST", "/api/incidents/{id}/acknowledge", STAFF),
    ("POST", "/api/incidents/{id}/unacknowledge", STAFF),
    ("POST", "/api/incidents/{id}/resolve", STAFF),
    ("POST", "/api/incidents/{id}/reopen", STAFF),
    ("POST", "/api/incidents/{id}/assign", STAFF),
    ("POST", "/api/incidents/{id}/responders", STAFF),
    ("DELETE", "/api/incidents/{id}/responders", STAFF),
    ("POST", "/api/incidents/{id}/severity", STAFF),
    ("POST", "/api/incidents/{id}/notes", STAFF),
    ("POST", "/api/incidents/{id}/snooze", STAFF),
    ("POST", "/api/incidents/{id}/merge", STAFF),
    ("POST", "/api/incidents/{id}/unmerge", STAFF),
    ("POST", "/api/status-pages", ADMINS),
    ("GET", "/api/status-pages", OVERSEERS),
    ("GET", "/api/status-pages/{id}", OVERSEERS),
    ("PATCH", "/api/status-pages/{id}", ADMINS),
    ("POST", "/api/status-pages/{id}/archive", ADMINS),
    ("GET", "/api/status-pages/{id}/history", OVERSEERS),
    ("POST", "/api/status-pages/{id}/components", ADMINS),
    ("GET", "/api/status-pages/{id}/components", OVERSEERS),
    ("GET", "/api/status-pages/{id}/components/{component}", OVERSEERS),
    ("PATCH", "/api/status-pages/{id}/components/{component}", ADMINS),
    ("DELETE", "/api/status-pages/{id}/components/{component}", ADMINS),
    ("POST", "/api/status-pages/{id}/components/{component}/move", ADMINS),
    ("POST", "/api/status-pages/{id}/components/{component}/status", PUBLISHERS),
    ("DELETE", "/api/status-pages/{id}/components/{component}/status", PUBLISHERS),
    ("POST", "/api/partner-grants", ADMINS),
    ("GET", "/api/partner-grants", AUDITORS),
    ("GET", "/api/partner-grants/{id}", AUDITORS),
    ("PATCH", "/api/partner-grants/{id}", ADMINS),
    ("PUT", "/api/partner-grants/{id}/scope", ADMINS),
    ("POST", "/api/partner-grants/{id}/renew", ADMINS),
    ("POST", "/api/partner-grants/{id}/suspend", ADMINS),
    ("POST", "/api/partner-grants/{id}/resume", ADMINS),
    ("POST", "/api/partner-grants/{id}/revoke", ADMINS),
    ("GET", "/api/partner-grants/{id}/pages", AUDITORS),
    ("GET", "/api/partner-grants/{id}/history", AUDITORS),
    ("GET", "/api/partner-grants/{id}/accesses", AUDITORS),
    ("POST", "/api/partner-grants/{id}/tokens", ADMINS),
    ("GET", "/api/partner-grants/{id}/tokens", AUDITORS),
    ("POST", "/api/partner-grants/{id}/tokens/{token}/rotate", ADMINS),
    ("DELETE", "/api/partner-grants/{id}/tokens/{token}", ADMINS),
    ("GET", "/api/views", AUDITORS),
    ("POST", "/api/views/{view}/pause", ADMINS),
    ("POST", "/api/views/{view}/resume", ADMINS),
    ("POST", "/api/views/{view}/skip", ADMINS),
    ("POST", "/api/views/{view}/retry", ADMINS),
    ("GET", "/api/work", AUDITORS),
    ("GET", "/api/work/{id}", AUDITORS),
    ("POST", "/api/work/pause", ADMINS),
    ("POST", "/api/work/resume", ADMINS),
    ("POST", "/api/work/{id}/retry", ADMINS),
    ("POST", "/api/work/{id}/skip", ADMINS),
];

/// The routes without a row, and the rows without a route.
fn unmatched(routes: &[(&'static str, &'static str)], table: &[Row]) -> Vec<(&'static str, &'static str)> {
    let routes: BTreeSet<_> = routes.iter().copied().collect();
    let rows: BTreeSet<_> = table.iter().map(|(method, path, _)| (*method, *path)).collect();
    routes.symmetric_difference(&rows).copied().collect()
}

/// All but those of partners, who are nobody here: `partners.rs` tries those out.
fn for_the_house() -> Vec<(&'static str, &'static str)> {
    let of_partners = |access| matches!(access, Access::Partner | Access::PartnerSecret);
    let routes = ROUTES.iter().filter(|route| !of_partners(route.access));
    routes.map(|route| (route.method, route.path)).collect()
}

#[test]
fn every_route_has_its_row() {
    let routes = for_the_house();
    assert_eq!(unmatched(&routes, TABLE), []);
    let distinct: BTreeSet<_> = routes.iter().collect();
    assert_eq!(distinct.len(), routes.len(), "a route stands twice");
}

#[test]
fn a_route_without_a_row_is_noticed() {
    let routes = for_the_house();
    assert_eq!(unmatched(&routes, &TABLE[1..]), [("GET", "/healthz")]);
    assert_eq!(unmatched(&routes[1..], TABLE), [("GET", "/healthz")]);
}

#[test]
fn nothing_under_api_is_open_but_the_ways_in() {
    for route in ROUTES {
        let open = !route.path.starts_with("/api") || WAYS_IN.contains(&(route.method, route.path));
        assert_eq!(route.access == Access::Open, open, "{} {}", route.method, route.path);
    }
}

/// A body that gets past the faults of most routes.
fn body(path: &str) -> Value {
    match path.rsplit('/').next().unwrap() {
        "runbooks" | "validate" => runbook("x"),
        "{id}" if path.contains("runbooks") => runbook("y"),
        "status-pages" => json!({ "slug": "a-slug", "name": "x" }),
        "components" | "tokens" => json!({ "name": "x" }),
        "status" => json!({ "status": "operational" }),
        "move" => json!({ "position": 1 }),
        "{id}" if path.contains("status-pages") || path.contains("partner-grants") => json!({}),
        "incidents" | "{id}" => json!({ "title": "x" }),
        "bulk" => json!({ "decisions": [{ "id": "nothing", "verdict": "approve" }] }),
        "reject" => json!({ "reason": "x" }),
        "assign" => json!({ "to": [] }),
        "severity" => json!({ "severity": "sev1" }),
        "notes" => json!({ "text": "x" }),
        "snooze" => json!({ "until": "2999-01-01T00:00:00Z" }),
        "merge" => json!({ "into": "x" }),
        "responders" => json!({ "user": "u" }),
        _ => json!({}),
    }
}

async fn every_route_admits_whom_the_table_says(serving: Serving) {
    let admin = serving.admin();
    let somebody: Vec<(&str, Client)> = ALL.iter().map(|role| (*role, serving.somebody(role))).collect();
    for (method, path, admitted) in TABLE {
        for (role, client) in &somebody {
            // Of each its own, so that nobody before has left a state that refuses; and only a draft, whose rights must
            // not hang on a version that was never approved.
            let new = match path.split('/').nth(2) {
                Some("runbooks") => admin.new_runbook("n").await,
                Some("approvals") => admin.new_approval("n").await,
                Some("status-pages") => admin.new_status_page().await,
                Some("partner-grants") => admin.new_grant(&admin.new_status_page().await).await,
                _ => admin.new_incident("n").await,
            };
            let at = path
                .replace("{id}", new.rsplit('/').next().unwrap())
                .replace("{number}", "1")
                .replace("{component}", "none")
                .replace("{token}", "none");
            // One that is not there: a paused view would show nothing of what follows.
            let at = at.replace("{view}", "nothing");
            let ask = client.ask(method, &at);
            let ask = if *method == "GET" || *method == "DELETE" { ask } else { ask.json(&body(path)) };
            let reply = ask.send().await;
            let denied = reply.status == 403 && reply.json()["type"] == "urn:pagefree:problem:denied";
            assert_eq!(denied, !admitted.contains(role), "{role}: {method} {path}: {} {}", reply.status, reply.text);
            assert!(reply.status != 401 && reply.status < 500, "{role}: {method} {path}: {}", reply.status);
            if denied && path.contains("/api") && path.contains("{id}") {
                assert_eq!(admin.get(&new).await.expect(200).etag(), "\"1\"", "{role}: {method} {path} changed it");
            }
        }
    }
}
