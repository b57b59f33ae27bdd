//! What each type of step does.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::secrets::Auth;
use super::step::{Effect, Step};
use crate::ids::{RunbookId, TeamId, UserId};

/// One variant per step type. Strings marked "template" are rendered, everything else is taken as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    Http(Http),
    Webhook(Webhook),
    Sql(Sql),
    Shell(Shell),
    Script(Script),
    ManualApproval(ManualApproval),
    Conditional(Conditional),
    Parallel(Parallel),
    ForEach(ForEach),
    Wait(Wait),
    SubRunbook(SubRunbook),
    Ai(Ai),
    Incident(IncidentAction),
    Notify(Notify),
    Connector(Connector),
}

impl Action {
    /// Every type, by the name that it is written and stored under.
    pub const TYPES: &'static [&'static str] = &[
        "http",
        "webhook",
        "sql",
        "shell",
        "script",
        "manual_approval",
        "conditional",
        "parallel",
        "for_each",
        "wait",
        "sub_runbook",
        "ai",
        "incident",
        "notify",
        "connector",
    ];

    /// What is assumed where a step does not say it: the careful answer.
    pub(super) fn usual_effect(&self) -> Effect {
        match self {
            Self::Http(http) if matches!(http.method, HttpMethod::Get | HttpMethod::Head) => Effect::Pure,
            Self::ManualApproval(_) | Self::Conditional(_) | Self::Parallel(_) | Self::ForEach(_) | Self::Wait(_) => {
                Effect::Pure
            }
            // Keyed commands to ourselves.
            Self::Incident(_) | Self::Notify(_) => Effect::Idempotent,
            _ => Effect::Unsafe,
        }
    }

    /// Whether it consists of other steps.
    pub fn is_control(&self) -> bool {
        matches!(self, Self::Conditional(_) | Self::Parallel(_) | Self::ForEach(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Http {
    pub method: HttpMethod,
    /// Template.
    pub url: String,
    /// Templates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Empty: any 2xx.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub expect_status: BTreeSet<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WebhookMethod {
    #[default]
    Post,
    Put,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    /// Template.
    pub url: String,
    pub method: WebhookMethod,
    /// Templates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Template, already parsed as JSON.
    pub payload_template: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sql {
    /// The configured database that it runs on.
    pub target: String,
    pub statement: String,
    /// Templates, bound to the statement's placeholders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bind: Vec<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shell {
    pub source: String,
    /// Templates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScriptLanguage {
    Javascript,
    Python,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Script {
    pub language: ScriptLanguage,
    #[serde(flatten)]
    pub program: Shell,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManualApproval {
    /// Template.
    pub message: String,
    /// Nobody named: everyone who may execute the runbook.
    #[serde(default)]
    pub eligible: Eligible,
    pub quorum: u32,
    pub four_eyes: bool,
    /// Then it is rejected.
    pub expires_in_seconds: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Eligible {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<ApproverRole>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub teams: BTreeSet<TeamId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub users: BTreeSet<UserId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApproverRole {
    PlatformAdmin,
    TeamManager,
    Responder,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conditional {
    pub condition: String,
    pub then: Vec<Step>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub r#else: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parallel {
    pub branches: Vec<Vec<Step>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForEach {
    /// Template: a list, or one expression that gives a list. Its steps know the current one as `item` and `index`.
    pub items: Value,
    pub steps: Vec<Step>,
    pub max_items: u32,
    pub max_parallel: u32,
}

/// Exactly one is present.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
    /// Template that gives an RFC 3339 time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
}

/// An external system reports, or does not in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    pub timeout_seconds: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubRunbook {
    pub runbook_id: RunbookId,
    /// None: the version that is current when the step starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Template.
    pub parameters: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ai {
    /// Template.
    pub prompt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A JSON Schema that the answer must fulfil.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
}

/// What is done to the incident that the runbook is executed for. Texts are templates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum IncidentAction {
    Note {
        text: String,
    },
    Severity {
        severity: crate::incident::Severity,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    StatusUpdate {
        text: String,
    },
    Page {
        recipients: Vec<Recipient>,
        message: String,
    },
}

/// Somebody to tell, by identifier: an address never stands in a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    pub kind: RecipientKind,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientKind {
    User,
    Team,
    OnCallSchedule,
    EscalationPolicy,
    Channel,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notify {
    pub recipients: Vec<Recipient>,
    /// Template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Template.
    pub message: String,
}

/// A tool that people already have: `awx`, `semaphore`, `ssm`, `jira`… Its own schema checks the settings where the
/// connectors are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connector {
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Template.
    pub settings: Value,
}
