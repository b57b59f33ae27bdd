//! The audit trail of one aggregate: every event as it is stored, with who, when and why.

use domain::Aggregate;
use domain::approval::Approval;
use domain::incident::Incident;
use domain::partner_grant::PartnerGrant;
use domain::runbook::Runbook;
use domain::status_page::StatusPage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::view::{Origin, position_key};
use crate::{Actor, Decoded, View};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Entry {
    pub position: u64,
    pub version: u64,
    pub at: Timestamp,
    pub actor: Option<Actor>,
    pub event_type: String,
    pub event_version: u32,
    pub event_id: String,
    pub command_id: String,
    pub correlation_id: Option<String>,
    pub causation_id: Option<String>,
    pub request_id: Option<String>,
    /// As stored, in the version of its time.
    pub data: Value,
}

impl View for Entry {
    const NAME: &'static str = "history";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] =
        &[Runbook::TYPE, Incident::TYPE, Approval::TYPE, StatusPage::TYPE, PartnerGrant::TYPE];
    const ORIGIN: Origin = Origin::Event;

    fn keys(event: &Decoded) -> Vec<String> {
        vec![position_key(event.position())]
    }

    fn apply(&mut self, event: &Decoded) {
        let recorded = event.recorded();
        let metadata = |name| event.metadata(name).map(str::to_owned);
        *self = Self {
            position: recorded.position,
            version: recorded.sequence,
            at: event.at(),
            actor: event.actor(),
            event_type: recorded.event_type.clone(),
            event_version: recorded.event_version,
            event_id: recorded.event_id.to_string(),
            command_id: recorded.command_id.to_string(),
            correlation_id: metadata("correlation_id"),
            causation_id: metadata("causation_id"),
            request_id: metadata("request_id"),
            data: serde_json::from_str(&recorded.payload).unwrap_or_default(),
        };
    }
}
