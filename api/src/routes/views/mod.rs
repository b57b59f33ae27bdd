//! Routes of the views themselves: where each stands, and what an operator does about one that has stopped.

pub(super) mod list;
pub(super) mod pause;
pub(super) mod retry;
pub(super) mod skip;

use actix_web::http::StatusCode;
use projections::oversight::{self, Overseen};
use projections::registry::{self, Registration};
use serde_json::{Value, json};
use storage::documents::HaltKind;

use crate::Answer;
use crate::problem::Problem;
use crate::respond;
use crate::write::Write;

/// A view as it is shown.
pub fn view_document(view: &Overseen) -> Value {
    let Overseen { row, behind, building, known, parked } = view;
    let halt = row.halt.as_ref().map(|halt| {
        let kind = match halt.kind {
            HaltKind::Unknown => "unknown",
            HaltKind::Poison => "poison",
        };
        json!({ "kind": kind, "position": halt.position, "why": halt.why })
    });
    let first: Vec<Value> =
        parked.first.iter().map(|(key, one)| json!({ "key": key, "at": one.at, "why": one.why })).collect();
    json!({
        "name": row.name,
        "version": row.version,
        "generation": row.generation,
        "position": row.position,
        "behind": behind,
        "state": view.state(),
        "halt": halt,
        "paused": row.paused,
        "building": building,
        "known": known,
        "parked": { "count": parked.count, "first": first },
    })
}

fn missing() -> Problem {
    Problem::missing("this server has no such view")
}

/// The view in the path.
fn named(write: &Write) -> Result<&'static Registration, Problem> {
    registry::view(&write.view).ok_or_else(missing)
}

/// Answers with a view as it stands in the database now; other nodes take a moment to see it.
async fn shown(write: &Write, view: &Registration) -> Answer {
    let one = oversight::one(write.bus.store(), view).await?.ok_or_else(missing)?;
    respond::json(StatusCode::OK, &view_document(&one))
}
