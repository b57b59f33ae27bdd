//! The registry of what this binary can read is complete, and tells its refusals apart.

use domain::approval::Event as ApprovalEvent;
use domain::catalogue::{CATALOGUE, decode};
use domain::incident::Event as IncidentEvent;
use domain::runbook::Event as RunbookEvent;
use domain::{DecodeError, StoredEvent};
use serde_json::{Value, json};

use super::status_samples;

/// serde itself says which names an enum has: so a variant that is missing in `NAMES` is found.
fn names_known_to_serde<E: StoredEvent>() -> Vec<String> {
    let error = serde_json::from_value::<E>(json!({"type": "no such event"})).unwrap_err().to_string();
    error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

fn assert_names_complete<E: StoredEvent>(samples: &[E]) {
    assert_eq!(names_known_to_serde::<E>(), E::NAMES);
    let names: Vec<_> = samples.iter().map(StoredEvent::name).collect();
    assert_eq!(names, E::NAMES, "one sample per event, in order");
    for event in samples {
        let stored = serde_json::to_value(event).unwrap();
        assert_eq!(stored["type"], event.name(), "the tag is the stored name");
    }
}

#[test]
fn the_names_of_all_events_are_listed() {
    assert_names_complete::<RunbookEvent>(&super::samples::every_runbook_event());
    assert_names_complete::<IncidentEvent>(&super::samples::every_incident_event());
    assert_names_complete::<ApprovalEvent>(&super::approvals::every_approval_event());
    assert_names_complete::<domain::user::Event>(&super::samples::every_user_event());
    assert_names_complete::<domain::team::Event>(&super::samples::every_team_event());
    assert_names_complete::<domain::api_token::Event>(&super::samples::every_api_token_event());
    assert_names_complete::<domain::session::Event>(&super::samples::every_session_event());
    assert_names_complete::<domain::platform::Event>(&super::samples::every_platform_event());
    assert_names_complete::<domain::status_page::Event>(&status_samples::every_page_event());
    assert_names_complete::<domain::status_page_slug::Event>(&status_samples::every_slug_event());
    assert_names_complete::<domain::partner_grant::Event>(&status_samples::every_grant_event());
    assert_names_complete::<domain::partner_access::Event>(&status_samples::every_access_event());
}

#[test]
fn every_event_is_named_after_its_aggregate() {
    for entry in CATALOGUE {
        for name in entry.events {
            assert!(name.starts_with(&format!("{}.", entry.aggregate_type)), "{name}");
        }
    }
}

fn check(aggregate_type: &str, event_type: &str, version: u32, payload: &Value) -> Result<(), DecodeError> {
    decode(aggregate_type, event_type, version, &payload.to_string()).map(drop)
}

#[test]
fn what_is_stored_is_checked() {
    let noted = json!({"type": "incident.note_added", "by": "user:a", "text": "hello"});
    assert!(check("incident", "incident.note_added", 1, &noted).is_ok());

    let unknown_aggregate = check("invoice", "invoice.sent", 1, &noted);
    assert!(matches!(unknown_aggregate, Err(DecodeError::UnknownAggregate { .. })));
    let unknown_event = check("incident", "incident.exploded", 1, &noted);
    assert!(matches!(unknown_event, Err(DecodeError::Unknown { .. })));
    let from_the_future = check("incident", "incident.note_added", 2, &noted);
    assert!(matches!(from_the_future, Err(DecodeError::Version { found: 2, known: 1, .. })));
    let misnamed = check("incident", "incident.resolved", 1, &noted);
    assert!(matches!(misnamed, Err(DecodeError::Misnamed { .. })));
    let malformed = check("incident", "incident.note_added", 1, &json!({"type": "incident.note_added"}));
    assert!(matches!(malformed, Err(DecodeError::Malformed { .. })));
}

#[test]
fn a_field_that_a_newer_binary_added_is_tolerated() {
    let noted = json!({"type": "incident.note_added", "by": "user:a", "text": "hello", "mood": "calm"});
    assert!(check("incident", "incident.note_added", 1, &noted).is_ok());
}
