//! Events as they were stored, for ever readable. These tests never write: what is missing is printed, to be copied
//! by hand after a look.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use domain::api_token::ApiToken;
use domain::approval::Approval;
use domain::catalogue::CATALOGUE;
use domain::incident::Incident;
use domain::partner_access::PartnerAccess;
use domain::partner_grant::PartnerGrant;
use domain::platform::Platform;
use domain::runbook::Runbook;
use domain::session::Session;
use domain::status_page::StatusPage;
use domain::status_page_slug::StatusPageSlug;
use domain::team::Team;
use domain::user::User;
use domain::{Aggregate, StoredEvent};
use serde_json::Value;

use super::{approvals, samples, status_samples};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("stored_events")
}

/// What has happened before, so that the fold of an event shows what it does.
fn before(name: &str) -> &'static [&'static str] {
    match name {
        "runbook.created" | "incident.declared" | "approval.opened" | "user.created" | "team.created"
        | "api_token.minted" | "session.begun" | "platform.set_up" => &[],
        "runbook.submission_withdrawn"
        | "runbook.submission_expired"
        | "runbook.vote_counted"
        | "runbook.approved"
        | "runbook.rejected" => &["runbook.created", "runbook.draft_submitted"],
        "approval.approved" => &["approval.opened", "approval.voted"],
        name if name.starts_with("approval.") => &["approval.opened"],
        "runbook.deprecated" => &["runbook.created", "runbook.draft_submitted", "runbook.approved"],
        "incident.unacknowledged" => &["incident.declared", "incident.acknowledged"],
        "incident.woken" => &["incident.declared", "incident.snoozed"],
        "incident.reopened" => &["incident.declared", "incident.acknowledged", "incident.resolved"],
        "incident.unmerged" => &["incident.declared", "incident.merged_into"],
        "incident.released" => &["incident.declared", "incident.absorbed"],
        "user.reactivated" => &["user.created", "user.deactivated"],
        "user.provider_unlinked" => &["user.created", "user.provider_linked"],
        "user.delegation_ended" => &["user.created", "user.delegated"],
        "team.restored" => &["team.created", "team.archived"],
        "platform.admin_removed" => &["platform.set_up", "platform.admin_added"],
        name if name.starts_with("user.") => &["user.created"],
        name if name.starts_with("team.") => &["team.created"],
        name if name.starts_with("api_token.") => &["api_token.minted"],
        name if name.starts_with("session.") => &["session.begun"],
        name if name.starts_with("platform.") => &["platform.set_up"],
        "status_page.created" | "status_page_slug.reserved" | "partner_grant.granted" | "partner_access.recorded" => {
            &[]
        }
        "status_page.edited" | "status_page.component_added" | "status_page.archived" => &["status_page.created"],
        "status_page.component_status_released" => {
            &["status_page.created", "status_page.component_added", "status_page.component_status_set"]
        }
        "status_page.incident_cleared" => {
            &["status_page.created", "status_page.component_added", "status_page.incident_noted"]
        }
        "status_page_slug.released" => &["status_page_slug.reserved"],
        "partner_grant.resumed" => &["partner_grant.granted", "partner_grant.suspended"],
        name if name.starts_with("status_page.") => &["status_page.created", "status_page.component_added"],
        name if name.starts_with("partner_grant.") => &["partner_grant.granted"],
        name if name.starts_with("runbook.") => &["runbook.created"],
        _ => &["incident.declared"],
    }
}

fn read(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// The fold of the golden events that came before, at their first version, and of this one.
fn folded<A: Aggregate>(directory: &Path, name: &str, event: &A::Event) -> Option<Value> {
    let mut state = A::default();
    for earlier in before(name) {
        let payload = read(&directory.join(earlier).join("v1.json"))?;
        state.apply(&A::Event::decode(earlier, 1, payload).unwrap());
    }
    state.apply(event);
    Some(serde_json::to_value(&state).unwrap())
}

/// Every golden file of one event type; what is missing or differs goes to `complaints`.
fn check_event<A: Aggregate>(directory: &Path, sample: &A::Event, complaints: &mut Vec<String>) {
    let name = sample.name();
    for version in 1..=sample.version() {
        let path = directory.join(name).join(format!("v{version}.json"));
        let Some(stored) = read(&path) else {
            let proposed = serde_json::to_string_pretty(sample).unwrap();
            complaints.push(format!("{} is missing. Proposed:\n{proposed}", path.display()));
            continue;
        };
        let event = match A::Event::decode(name, version, stored.clone()) {
            Ok(event) => event,
            Err(error) => {
                complaints.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        if version == sample.version() && serde_json::to_value(&event).unwrap() != stored {
            complaints.push(format!("{} is written differently today", path.display()));
        }
        let snapshot = path.with_file_name(format!("v{version}.state.json"));
        let state = folded::<A>(directory, name, &event);
        if state != read(&snapshot) || state.is_none() {
            let found = state.map(|state| serde_json::to_string_pretty(&state).unwrap()).unwrap_or_default();
            complaints.push(format!("{} is not what the fold gives. Folded:\n{found}", snapshot.display()));
        }
    }
}

#[test]
fn every_stored_event_is_read_and_folded_as_ever() {
    let mut complaints = Vec::new();
    for sample in samples::every_runbook_event() {
        check_event::<Runbook>(&directory(), &sample, &mut complaints);
    }
    for sample in samples::every_incident_event() {
        check_event::<Incident>(&directory(), &sample, &mut complaints);
    }
    for sample in approvals::every_approval_event() {
        check_event::<Approval>(&directory(), &sample, &mut complaints);
    }
    for sample in samples::every_user_event() {
        check_event::<User>(&directory(), &sample, &mut complaints);
    }
    for sample in samples::every_team_event() {
        check_event::<Team>(&directory(), &sample, &mut complaints);
    }
    for sample in samples::every_api_token_event() {
        check_event::<ApiToken>(&directory(), &sample, &mut complaints);
    }
    for sample in samples::every_session_event() {
        check_event::<Session>(&directory(), &sample, &mut complaints);
    }
    for sample in samples::every_platform_event() {
        check_event::<Platform>(&directory(), &sample, &mut complaints);
    }
    for sample in status_samples::every_page_event() {
        check_event::<StatusPage>(&directory(), &sample, &mut complaints);
    }
    for sample in status_samples::every_slug_event() {
        check_event::<StatusPageSlug>(&directory(), &sample, &mut complaints);
    }
    for sample in status_samples::every_grant_event() {
        check_event::<PartnerGrant>(&directory(), &sample, &mut complaints);
    }
    for sample in status_samples::every_access_event() {
        check_event::<PartnerAccess>(&directory(), &sample, &mut complaints);
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

/// The control: a file that is missing, and one that was altered after its snapshot was taken, are noticed.
#[test]
fn what_is_missing_or_altered_is_noticed() {
    let elsewhere = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/altered_events");
    let mut complaints = Vec::new();
    for sample in samples::every_incident_event() {
        check_event::<Incident>(&elsewhere, &sample, &mut complaints);
    }
    assert!(complaints[0].contains("is not what the fold gives"), "{}", complaints[0]);
    assert!(complaints[0].contains("Something else is down"), "what was folded is shown");
    assert!(complaints[1].contains("is missing. Proposed:\n{"), "{}", complaints[1]);
    assert_eq!(complaints.len(), samples::every_incident_event().len());
}

#[test]
fn every_golden_file_belongs_to_an_event() {
    let known: BTreeSet<&str> = CATALOGUE.iter().flat_map(|entry| entry.events).copied().collect();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(known.contains(name.as_str()), "{name} is no event of ours any more: stored events are for ever");
        for file in fs::read_dir(&path).unwrap() {
            let file = file.unwrap().file_name().into_string().unwrap();
            let stem = file.strip_suffix(".state.json").or(file.strip_suffix(".json")).unwrap_or_default();
            assert!(stem.strip_prefix('v').is_some_and(|n| n.parse::<u32>().is_ok()), "{name}/{file}");
        }
        found.insert(name);
    }
    assert_eq!(found, known.into_iter().map(str::to_owned).collect());
}
