//! Every detail as it was: by position and by time.

use serde_json::json;

use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(an_incident_is_shown_as_it_was);

async fn an_incident_is_shown_as_it_was(serving: Serving) {
    let admin = serving.admin();
    let before = admin.get("/readyz").await.json()["position"].as_str().unwrap().to_owned();
    let created = admin.post("/api/incidents", json!({ "title": "Down" })).await.expect(201);
    let path = created.location();
    // Another stream in between: positions are of the log, not of the incident.
    admin.new_incident("Other").await;
    let taken = admin.post(&format!("{path}/acknowledge"), json!({})).await.expect(200);
    let resolved = admin.post(&format!("{path}/resolve"), json!({})).await.expect(200);

    let shown = |when: String| {
        let (admin, path) = (admin.clone(), format!("{path}?as_of={when}"));
        async move { admin.get(&path).await }
    };
    for (then, answer) in [(created.number(), &created), (taken.number() - 1, &created), (taken.number(), &taken)] {
        let reply = shown(then.to_string()).await.expect(200);
        assert_eq!((reply.text.as_str(), reply.etag()), (&*answer.text, answer.etag()), "as of {then}");
    }
    assert_eq!(shown(taken.position()).await.expect(200).text, taken.text);
    let updated_at = taken.json()["updated_at"].as_str().unwrap().to_owned();
    let by_time = shown(updated_at).await.expect(200).json();
    // On a fast machine the next event may bear the same time.
    assert!(["acknowledged", "resolved"].contains(&by_time["status"].as_str().unwrap()), "{by_time}");
    assert_eq!(shown("2999-01-01T00:00:00%2B01:00".to_owned()).await.expect(200).text, resolved.text);
    shown(before).await.problem(404, "not_found");
    shown("2001-01-01T00:00:00Z".to_owned()).await.problem(404, "not_found");
    shown("yesterday".to_owned()).await.faults(&["/query/as_of"]);
    shown("ffffffffffff:1".to_owned()).await.problem(412, "other_history");

    let timeline = admin.get(&format!("{path}/timeline?as_of={}", taken.number())).await.expect(200).json();
    assert_eq!(timeline["items"].as_array().unwrap().len(), 2);
    let history = admin.get(&format!("{path}/history?as_of={}", created.number())).await.expect(200).json();
    assert_eq!(history["items"].as_array().unwrap().len(), 1);
}
