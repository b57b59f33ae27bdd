//! The numbers of a dashboard, against what the lists say.

use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(the_numbers_are_those_of_the_lists);

async fn listed(client: &Client, query: &str) -> usize {
    client.get(query).await.expect(200).json()["items"].as_array().unwrap().len()
}

async fn numbers(client: &Client, after: &Reply) -> Value {
    client.get_after(after, "/api/overview").await.expect(200).json()
}

async fn the_numbers_are_those_of_the_lists(serving: Serving) {
    let admin = serving.admin();
    let declare = |severity: &str, team: Value| {
        let body = json!({ "title": "Down", "severity": severity, "team_id": team });
        let admin = admin.clone();
        async move { admin.post("/api/incidents", body).await.expect(201) }
    };
    let first = declare("sev1", json!("shop")).await;
    assert_eq!(numbers(&admin, &first).await["incidents"]["active_by_severity"], json!({ "sev1": 1 }));
    let second = declare("sev1", json!("search")).await;
    let third = declare("sev4", json!("shop")).await;
    declare("sev2", json!(null)).await;
    admin.post(&format!("{}/resolve", first.location()), json!({})).await.expect(200);
    let until = json!({ "until": "2999-01-01T00:00:00Z" });
    admin.post(&format!("{}/snooze", second.location()), until).await.expect(200);
    let into = third.json()["id"].clone();
    let fifth = declare("sev5", json!(null)).await;
    admin.post(&format!("{}/merge", fifth.location()), json!({ "into": into })).await.expect(200);
    let (kept, gone) = (admin.new_runbook("Kept").await, admin.new_runbook("Gone").await);
    admin.ask("DELETE", &format!("{gone}/draft")).send().await.expect(204);
    let last = admin.post(&format!("{kept}/submit"), json!({})).await.expect(200);

    let overview = numbers(&admin, &last).await;
    assert_eq!(
        overview["incidents"],
        json!({
            "by_status": { "open": 2, "acknowledged": 1, "resolved": 1, "merged": 1 },
            "active_by_severity": { "sev1": 1, "sev2": 1, "sev4": 1 },
            "active_by_team": { "shop": 1, "search": 1 },
            "snoozed": 1,
        })
    );
    assert_eq!(overview["runbooks"], json!({ "by_status": { "DRAFT": 1 }, "drafts": { "pending": 1 } }));
    assert_eq!(overview["approvals"], json!({ "pending": 1 }));
    assert_eq!(listed(&admin, "/api/approvals?mine=false").await, 1);
    for (status, count) in overview["incidents"]["by_status"].as_object().unwrap() {
        assert_eq!(listed(&admin, &format!("/api/incidents?status={status}")).await as u64, count.as_u64().unwrap());
    }
    assert_eq!(overview["position"], last.number());
    admin.get("/api/overview?team_id=shop").await.faults(&["/query/team_id"]);
}
