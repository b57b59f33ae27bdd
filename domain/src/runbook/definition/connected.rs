//! Reads the step types that hand over to another part of the house or to a connected tool: `sub_runbook`, ai,
//! incident, notify, connector.

use serde_json::{Map, Value};

use super::action::{Ai, Connector, IncidentAction, Notify, Recipient, RecipientKind, SubRunbook};
use super::limits::{MESSAGE_CHARACTERS, RECIPIENTS};
use super::outward::read_template;
use super::parameters;
use super::reader::Reader;
use super::scope::{Scope, Secrets};
use super::templates;
use crate::ids::RunbookId;
use crate::{Fault, ids, pointer};

/// Text for people, in clear for ever: no secrets.
fn message(
    reader: &mut Reader,
    name: &'static str,
    most: usize,
    scope: &Scope,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    let text = reader.text(name, 1..=most, faults)?;
    templates::check(&text, scope, Secrets::Refused, &reader.child(name), faults);
    Some(text)
}

pub(super) fn required_message(
    reader: &mut Reader,
    name: &'static str,
    most: usize,
    scope: &Scope,
    faults: &mut Vec<Fault>,
) -> String {
    reader.required(name, faults);
    message(reader, name, most, scope, faults).unwrap_or_default()
}

pub(super) fn read_sub_runbook(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> SubRunbook {
    let runbook_id = RunbookId::new(reader.required_identifier("runbook_id", faults));
    let version = reader.number("version", 1..=u64::from(u32::MAX), faults);
    let at = reader.child("parameters");
    let parameters = reader.value("parameters").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    if !parameters.is_object() {
        faults.push(Fault::new(&at, "must be an object"));
    }
    // They become part of the other execution's events.
    templates::check_json(&parameters, scope, Secrets::Refused, &at, faults);
    super::secrets::check_fields(&parameters, &at, faults);
    SubRunbook { runbook_id, version, parameters }
}

pub(super) fn read_ai(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> Ai {
    let prompt = required_message(reader, "prompt", MESSAGE_CHARACTERS, scope, faults);
    let model = reader.text("model", 1..=100, faults);
    let output_schema = reader.value("output_schema").cloned();
    if let Some(schema) = &output_schema {
        parameters::check_any_schema(schema, &reader.child("output_schema"), faults);
    }
    Ai { prompt, model, output_schema }
}

pub(super) fn read_incident(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> Option<IncidentAction> {
    match reader.required_string("action", faults) {
        "" => None,
        "note" => {
            Some(IncidentAction::Note { text: required_message(reader, "text", MESSAGE_CHARACTERS, scope, faults) })
        }
        "status_update" => {
            let text = required_message(reader, "text", MESSAGE_CHARACTERS, scope, faults);
            Some(IncidentAction::StatusUpdate { text })
        }
        "severity" => {
            reader.required("severity", faults);
            let severity = reader.one("severity", faults);
            let reason = message(reader, "reason", crate::text::REASON_CHARACTERS, scope, faults);
            Some(IncidentAction::Severity { severity: severity?, reason })
        }
        "page" => {
            let recipients = read_recipients(reader, faults);
            let message = required_message(reader, "message", MESSAGE_CHARACTERS, scope, faults);
            Some(IncidentAction::Page { recipients, message })
        }
        _ => {
            faults.push(Fault::new(reader.child("action"), "must be note, severity, status_update or page"));
            None
        }
    }
}

pub(super) fn read_notify(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> Notify {
    Notify {
        recipients: read_recipients(reader, faults),
        subject: message(reader, "subject", 200, scope, faults),
        message: required_message(reader, "message", MESSAGE_CHARACTERS, scope, faults),
    }
}

fn read_recipients(reader: &mut Reader, faults: &mut Vec<Fault>) -> Vec<Recipient> {
    reader.required("recipients", faults);
    let at = reader.child("recipients");
    let values = reader.list("recipients", RECIPIENTS, faults).unwrap_or_default();
    if values.is_empty() && reader.value("recipients").is_some() {
        faults.push(Fault::new(&at, "must have at least one entry"));
    }
    let mut recipients = Vec::with_capacity(values.len().min(RECIPIENTS));
    for (index, value) in values.iter().enumerate() {
        let Some(mut reader) = Reader::open(value, pointer::child(&at, index), faults) else { continue };
        reader.required("kind", faults);
        let kind = reader.one::<RecipientKind>("kind", faults);
        let id = reader.required_identifier("id", faults);
        reader.close(faults);
        recipients.extend(kind.map(|kind| Recipient { kind, id }));
    }
    recipients
}

pub(super) fn read_connector(reader: &mut Reader, scope: &Scope, faults: &mut Vec<Fault>) -> Connector {
    let kind = reader.required_identifier("kind", faults);
    let target = reader.string("target", faults).map(str::to_owned);
    if let Some(target) = &target {
        ids::check(target, &reader.child("target"), faults);
    }
    let settings = read_template(reader, "settings", scope, faults).unwrap_or_else(|| Value::Object(Map::new()));
    if !settings.is_object() {
        faults.push(Fault::new(reader.child("settings"), "must be an object"));
    }
    Connector { kind, target, settings }
}
