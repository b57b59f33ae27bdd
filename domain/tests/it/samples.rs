//! Bodies, definitions and events that the tests start from.

use domain::ids::ApprovalId;
use domain::incident::{
    Declare, Declared, Edited, Event as IncidentEvent, Link, Responder, ResponderRole, Severity, Source,
};
use domain::roles::{Grant, Role};
use domain::runbook::definition::{Definition, parse};
use domain::runbook::{Approved, Consent, Drafted, Event as RunbookEvent};
use domain::sealed::Sealed;
use domain::{api_token, ids::TeamId, platform, session, team, user};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const ALICE: &str = "user:alice";
pub(crate) const BOB: &str = "user:bob";
pub(crate) const CARL: &str = "user:carl";

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The short form, as the seeds send it.
pub(crate) fn short_body() -> Value {
    json!({
        "name": "Restart the web tier",
        "description": "Restarts it, one host after the other.",
        "webhook_url": "https://automation.example.com/hooks/restart",
        "webhook_method": "POST",
        "webhook_headers": {"x-origin": "pagefree", "authorization": "Bearer {{secrets.HOOK_TOKEN}}"},
        "webhook_auth": {"type": "none"},
        "payload_template": "{\"service\": \"{{params.service}}\", \"incident\": \"{{incident.id}}\"}",
        "parameters": {"type": "object", "properties": {"service": {"type": "string"}}, "required": ["service"]},
        "timeout_seconds": 120,
        "change_note": "first version"
    })
}

/// One step of every type, with every common field somewhere.
pub(crate) fn full_body() -> Value {
    json!({
        "name": "Fail over the database",
        "description": "Checks, asks, fails over, tells everyone.",
        "team_id": "team:storage",
        "tags": ["database", "failover"],
        "environment": "production",
        "parameters": {
            "type": "object",
            "properties": {
                "cluster": {"type": "string", "pattern": "^[a-z]+$"},
                "hosts": {"type": "array", "items": {"$ref": "#/$defs/host"}, "maxItems": 10},
                "dry_run": {"type": "boolean", "default": false}
            },
            "required": ["cluster"],
            "additionalProperties": false,
            "$defs": {"host": {"type": "string"}}
        },
        "variables": {"region": "eu-central-1", "limit": 3},
        "timeout_seconds": 600,
        "concurrency": {"policy": "queue", "limits": {"per_runbook": 1, "runs_per_hour": 6}},
        "steps": [
            {"id": "look", "type": "http", "name": "Look at it", "method": "GET",
             "url": "https://db.example.com/clusters/{{params.cluster}}?region={{variables.region}}",
             "headers": {"accept": "application/json"},
             "auth": {"type": "bearer", "token": {"secret": "DB_TOKEN"}},
             "expect_status": [200, 203],
             "outputs": {"primary": "/body/primary", "status": "/status"},
             "retry": {"max_attempts": 3, "initial_delay": 1, "multiplier": 1.5, "max_delay": 10, "on": ["timeout"]}},
            {"id": "ask", "type": "manual_approval", "when": "params.dry_run == false",
             "message": "Fail {{params.cluster}} over from {{steps.look.outputs.primary}}?",
             "eligible": {"roles": ["team_manager"], "teams": ["team:storage"], "users": ["user:carl"]},
             "quorum": 2, "four_eyes": true, "expires_in_seconds": 3600},
            {"id": "count", "type": "sql", "target": "db-main", "statement": "select count(*) from replicas where name = $1",
             "bind": ["{{steps.look.outputs.primary}}"], "max_rows": 10, "effect": "pure", "on_failure": "continue"},
            {"id": "choose", "type": "conditional", "condition": "size(params.hosts) > variables.limit",
             "then": [{"id": "many", "type": "wait", "duration_seconds": 30}],
             "else": [{"id": "few", "type": "wait", "until": "2030-01-31T12:00:00Z"}]},
            {"id": "both", "type": "parallel", "max_parallel": 2, "branches": [
                [{"id": "drain", "type": "shell", "source": "drain \"$CLUSTER\"",
                  "env": {"CLUSTER": "{{params.cluster}}", "DRAIN_TOKEN": "{{secrets.DRAIN_TOKEN}}"},
                  "stdin": {"region": "{{variables.region}}"}, "timeout_seconds": 60}],
                [{"id": "plan", "type": "script", "language": "python", "source": "print('planned')", "effect": "pure"}]
            ]},
            {"id": "hosts", "type": "for_each", "items": "{{params.hosts}}", "max_items": 10, "max_parallel": 2, "steps": [
                {"id": "promote", "type": "connector", "kind": "awx", "target": "awx-main",
                 "settings": {"job_template": 7, "extra_vars": {"host": "{{item}}", "position": "{{index}}"},
                              "credentials": {"secret": "AWX_TOKEN"}},
                 "on_failure": "step:report",
                 "compensate": {"id": "demote", "type": "webhook", "url": "https://db.example.com/demote",
                                "payload_template": {"host": "{{item}}"}}},
                {"id": "report", "type": "incident", "action": "note", "text": "Promoted {{item}}"}
            ]},
            {"id": "wait_for_it", "type": "wait", "callback": {"timeout_seconds": 900}},
            {"id": "next", "type": "sub_runbook", "runbook_id": "runbook:verify", "version": 3,
             "parameters": {"cluster": "{{params.cluster}}"}},
            {"id": "summarise", "type": "ai", "prompt": "Summarise {{incident.title}}{{#if params.dry_run}} (dry){{else}}!{{/if}}",
             "model": "small", "output_schema": {"type": "object", "required": ["summary"]}},
            {"id": "calm", "type": "incident", "action": "severity", "severity": "sev4", "reason": "failed over"},
            {"id": "say", "type": "incident", "action": "status_update", "text": "We have failed over."},
            {"id": "call", "type": "incident", "action": "page", "message": "Please look",
             "recipients": [{"kind": "on_call_schedule", "id": "storage"}]},
            {"id": "tell", "type": "notify", "subject": "Done", "message": "{{runbook.name}} v{{runbook.version}} is done",
             "recipients": [{"kind": "team", "id": "team:storage"}, {"kind": "channel", "id": "ops"}]},
            {"id": "hook", "type": "webhook", "url": "{{secrets.HOOK_URL}}", "method": "PUT",
             "auth": {"type": "signature", "secret": {"secret": "HOOK_KEY"}},
             "payload_template": {"execution": "{{execution.id}}", "hosts": "{{params.hosts}}", "count": 1}}
        ]
    })
}

pub(crate) fn definition(body: &Value) -> Definition {
    parse(body).unwrap_or_else(|faults| panic!("{faults:#?}")).definition
}

pub(crate) fn named(name: &str) -> Definition {
    let mut body = short_body();
    body["name"] = name.into();
    definition(&body)
}

pub(crate) fn drafted(by: &str, of_version: u32, definition: &Definition) -> Drafted {
    Drafted {
        by: by.into(),
        of_version,
        definition: definition.clone().into(),
        content_hash: definition.content_hash(),
        change_note: None,
    }
}

pub(crate) fn approved(by: &str, version: u32, authors: &[&str], definition: &Definition) -> Approved {
    Approved {
        by: by.into(),
        approval_id: asked(version),
        consents: vec![consent(by)],
        version,
        definition: definition.clone().into(),
        content_hash: definition.content_hash(),
        authors: authors.iter().copied().map(Into::into).collect(),
        self_approved: false,
        change_note: None,
    }
}

/// The approval of the first submission of a version.
pub(crate) fn asked(version: u32) -> ApprovalId {
    ApprovalId::new(format!("approval:{version}"))
}

pub(crate) fn consent(by: &str) -> Consent {
    Consent { by: by.into(), standing_in_for: None, reason: None }
}

pub(crate) fn submitted(by: &str, of_version: u32, definition: &Definition) -> RunbookEvent {
    RunbookEvent::DraftSubmitted {
        by: by.into(),
        of_version,
        content_hash: definition.content_hash(),
        approval_id: asked(of_version),
        quorum: 1,
        expires_at: None,
    }
}

pub(crate) fn withdrawn(by: &str, of_version: u32, definition: &Definition) -> RunbookEvent {
    RunbookEvent::SubmissionWithdrawn { by: by.into(), of_version, content_hash: definition.content_hash() }
}

pub(crate) fn declare() -> Declare {
    let Declared {
        by,
        title,
        summary,
        severity,
        labels,
        service_ids,
        team_id,
        source,
        links,
        custom_fields,
        responders,
    } = declared();
    Declare { by, title, summary, severity, labels, service_ids, team_id, source, links, custom_fields, responders }
}

pub(crate) fn declared() -> Declared {
    Declared {
        by: ALICE.into(),
        title: "Checkout is down".to_owned(),
        summary: "No orders since noon".to_owned(),
        severity: Severity::Sev2,
        labels: [("region".to_owned(), "eu".to_owned())].into(),
        service_ids: ["checkout".into()].into(),
        team_id: Some("team:shop".into()),
        source: Source { kind: "alert".to_owned(), reference: Some("alert:7".to_owned()) },
        links: vec![Link { url: "https://graphs.example.com/1".to_owned(), title: Some("Orders".to_owned()) }],
        custom_fields: [("customers".to_owned(), json!(17))].into(),
        responders: [Responder { user: CARL.into(), role: ResponderRole::Scribe }].into(),
    }
}

pub(crate) fn edited(by: &str) -> Edited {
    Edited {
        by: by.into(),
        title: None,
        summary: None,
        labels: None,
        service_ids: None,
        team_id: None,
        links: None,
        custom_fields: None,
    }
}

/// One event of every type: what a missing golden file is proposed from.
pub(crate) fn every_runbook_event() -> Vec<RunbookEvent> {
    let full = definition(&full_body());
    let short = definition(&short_body());
    vec![
        RunbookEvent::Created(Drafted { change_note: Some("first".to_owned()), ..drafted(ALICE, 1, &full) }),
        RunbookEvent::DraftEdited(drafted(BOB, 1, &short)),
        submitted(ALICE, 1, &full),
        withdrawn(ALICE, 1, &full),
        RunbookEvent::SubmissionExpired { of_version: 1, content_hash: full.content_hash() },
        RunbookEvent::VoteCounted {
            of_version: 1,
            content_hash: full.content_hash(),
            consent: Consent { standing_in_for: Some(CARL.into()), ..consent(BOB) },
        },
        RunbookEvent::Approved(Approved {
            self_approved: true,
            change_note: Some("first".to_owned()),
            consents: vec![Consent { reason: Some("nobody else is here".to_owned()), ..consent(ALICE) }],
            ..approved(ALICE, 1, &[ALICE], &full)
        }),
        RunbookEvent::Rejected {
            by: BOB.into(),
            standing_in_for: None,
            of_version: 1,
            content_hash: full.content_hash(),
            reason: "the second step is unsafe".to_owned(),
        },
        RunbookEvent::Deprecated {
            by: BOB.into(),
            version: 1,
            content_hash: full.content_hash(),
            reason: Some("the cluster is gone".to_owned()),
        },
        RunbookEvent::DraftDiscarded { by: ALICE.into(), of_version: 1 },
    ]
}

pub(crate) fn every_incident_event() -> Vec<IncidentEvent> {
    use IncidentEvent as E;
    let until = time("2026-03-01T08:00:00Z");
    vec![
        E::Declared(declared().into()),
        E::Acknowledged { by: BOB.into(), number: 1, expires_at: Some(time("2026-02-08T12:30:00Z")) },
        E::Unacknowledged { number: 1, by: Some(BOB.into()) },
        E::Assigned { by: ALICE.into(), to: [BOB.into(), CARL.into()].into() },
        E::ResponderAdded { by: ALICE.into(), user: BOB.into(), role: ResponderRole::Commander },
        E::ResponderRemoved { by: ALICE.into(), user: CARL.into(), role: ResponderRole::Scribe },
        E::SeverityChanged {
            by: ALICE.into(),
            from: Severity::Sev2,
            to: Severity::Sev1,
            reason: Some("everyone is affected".to_owned()),
            correction: false,
        },
        E::Edited(
            Edited {
                title: Some("Checkout fails".to_owned()),
                summary: Some(String::new()),
                labels: Some([("region".to_owned(), "all".to_owned())].into()),
                service_ids: Some(["checkout".into(), "payments".into()].into()),
                team_id: Some(None),
                links: Some(vec![]),
                custom_fields: Some([("customers".to_owned(), json!({"lost": 4}))].into()),
                ..edited(BOB)
            }
            .into(),
        ),
        E::NoteAdded { by: BOB.into(), text: "Rolled back; orders are coming in again.".to_owned() },
        E::Snoozed { by: BOB.into(), number: 1, until },
        E::Woken { until },
        E::Resolved { by: BOB.into(), resolution: Some("rolled back".to_owned()) },
        E::Reopened { by: BOB.into(), reason: Some("it is back".to_owned()) },
        E::MergedInto { by: BOB.into(), into: "incident:9".into() },
        E::Absorbed { by: BOB.into(), incident: "incident:8".into() },
        E::Unmerged { by: BOB.into(), from: "incident:9".into() },
        E::Released { by: BOB.into(), incident: "incident:8".into() },
    ]
}

pub(crate) fn sealed(subject: &str, text: &str) -> Sealed {
    Sealed { subject: subject.to_owned(), key: 1, nonce: "bm9uY2U=".to_owned(), sealed: text.to_owned() }
}

pub(crate) fn grant(role: Role, team: Option<&str>) -> Grant {
    Grant { role, team: team.map(TeamId::new) }
}

pub(crate) fn created_user() -> user::Created {
    user::Created {
        by: ALICE.into(),
        user: BOB.into(),
        name: sealed(BOB, "bmFtZQ=="),
        email: sealed(BOB, "ZW1haWw="),
        grants: [grant(Role::Responder, Some("team:shop"))].into(),
        origin: user::Origin::Invited,
    }
}

pub(crate) fn every_user_event() -> Vec<user::Event> {
    use user::Event as E;
    let by = || ALICE.into();
    vec![
        E::Created(created_user().into()),
        E::ProfileChanged { by: by(), name: Some(sealed(BOB, "bmV3")), email: None },
        E::RoleGranted { by: by(), grant: grant(Role::PlatformAdmin, None) },
        E::RoleRevoked { by: by(), grant: grant(Role::Responder, Some("team:shop")) },
        E::Deactivated { by: by(), reason: Some("on leave".to_owned()) },
        E::Reactivated { by: by() },
        E::Invited { by: by() },
        E::PasswordSet { by: BOB.into(), how: user::PasswordBy::Link },
        E::ProviderLinked { by: BOB.into(), provider: "corporate".to_owned(), link: "aGFzaA".to_owned() },
        E::ProviderUnlinked { by: BOB.into(), provider: "corporate".to_owned() },
        E::Delegated {
            by: BOB.into(),
            to: CARL.into(),
            from: time("2026-02-08T12:00:00Z"),
            until: time("2026-02-15T12:00:00Z"),
        },
        E::DelegationEnded { by: BOB.into(), to: CARL.into() },
        E::Erased { by: by(), reason: Some("asked for it".to_owned()) },
    ]
}

pub(crate) fn every_team_event() -> Vec<team::Event> {
    use team::Event as E;
    vec![
        E::Created {
            by: ALICE.into(),
            team: "team:shop".into(),
            name: "Shop".to_owned(),
            description: "Keeps the shop open".to_owned(),
        },
        E::Edited { by: ALICE.into(), name: Some("The shop".to_owned()), description: None },
        E::Archived { by: ALICE.into() },
        E::Restored { by: ALICE.into() },
    ]
}

pub(crate) fn every_api_token_event() -> Vec<api_token::Event> {
    use api_token::Event as E;
    vec![
        E::Minted(Box::new(api_token::Minted {
            by: BOB.into(),
            token: "token:1".to_owned(),
            owner: Some(BOB.into()),
            name: "deploys".to_owned(),
            grants: [grant(Role::Responder, Some("team:shop"))].into(),
            read_only: true,
            expires_at: Some(time("2027-01-01T00:00:00Z")),
        })),
        E::Revoked { by: BOB.into(), reason: Some("leaked".to_owned()) },
    ]
}

pub(crate) fn every_session_event() -> Vec<session::Event> {
    use session::Event as E;
    let method = session::Method::Provider("corporate".to_owned());
    vec![
        E::Begun { by: BOB.into(), user: BOB.into(), method },
        E::Ended { by: BOB.into(), why: session::Ended::SignedOut },
    ]
}

pub(crate) fn every_platform_event() -> Vec<platform::Event> {
    use platform::{AdminKind, Event as E};
    let until = Some(time("2027-01-01T00:00:00Z"));
    vec![
        E::SetUp { by: ALICE.into() },
        E::AdminAdded { by: ALICE.into(), admin: "token:1".into(), kind: AdminKind::Service { until } },
        E::AdminRemoved { by: ALICE.into(), admin: "token:1".into() },
    ]
}
