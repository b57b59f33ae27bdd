//! Routes of the work queue: what waits, what has failed, and what an operator does about it.

pub(super) mod list;
pub(super) mod pause;
pub(super) mod retry;
pub(super) mod show;
pub(super) mod skip;

use actix_web::http::StatusCode;
use domain::ids::is_sound;
use jiff::Timestamp;
use serde_json::{Value, json};
use storage::work::{Pause, WorkRow};
use uuid::Uuid;

use crate::Answer;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::respond;
use crate::write::Write;

/// A piece of work as it is shown.
pub fn work_document(row: &WorkRow) -> Value {
    // As the reactor wrote it; what is no JSON is shown as text.
    let payload = serde_json::from_str(&row.payload).unwrap_or_else(|_| json!(row.payload));
    json!({
        "id": row.id.to_string(),
        "kind": row.kind,
        "lane": row.lane,
        "priority": row.priority,
        "state": row.state,
        "attempt": row.attempt,
        "tries": row.tries,
        "run_at": moment(row.run_at_us),
        "lease_until": row.lease_until_us.map(moment),
        "last_error": row.last_error,
        "created_position": row.created_position,
        "n": row.n,
        "finished_at": row.finished_at_us.map(moment),
        "payload": payload,
    })
}

/// A pause as it is shown; without a kind it is of everything.
pub fn pause_document(pause: &Pause) -> Value {
    json!({ "kind": pause.kind, "reason": pause.reason, "since": moment(pause.since_us) })
}

fn moment(micros: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(micros).ok()
}

fn missing() -> Problem {
    Problem::missing("there is no such work")
}

/// The work in the path. What is no id of work names nothing.
fn work_id(id: &str) -> Result<Uuid, Problem> {
    id.parse().map_err(|_| missing())
}

/// A kind of work as somebody names it.
fn kind(fields: &mut Fields<'_>) -> Option<String> {
    let kind: Option<String> = fields.optional("kind");
    if kind.as_ref().is_some_and(|kind| !is_sound(kind)) {
        fields.fault("kind", "must be a kind of work");
    }
    kind
}

/// Answers with work that an operator has moved, or says why it was not.
async fn moved(write: &Write, id: Uuid, done: bool, why_not: &str) -> Answer {
    let row = write.bus.store().work_row(id).await?.ok_or_else(missing)?;
    if done {
        respond::json(StatusCode::OK, &work_document(&row))
    } else {
        Err(Problem::conflict("work_state", format!("the work is {}: {why_not}", row.state)))
    }
}
