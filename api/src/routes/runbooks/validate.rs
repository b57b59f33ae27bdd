//! Says what is wrong with a definition, without keeping anything. That something is wrong is the answer, not an error.

use actix_web::http::StatusCode;
use commands::authorize::Action;
use domain::runbook::definition;
use serde_json::json;

use crate::Answer;
use crate::respond;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/runbooks/validate",
    access: Access::Holding(Action::DraftRunbook),
    handle: |route| route.to(validate),
};

async fn validate(write: Write) -> Answer {
    write.query()?.close()?;
    let verdict = match definition::parse(&write.body) {
        Ok(submission) => json!({
            "valid": true,
            "content_hash": submission.definition.content_hash(),
            "definition": submission.definition,
            "errors": [],
        }),
        Err(faults) => json!({ "valid": false, "errors": faults }),
    };
    respond::json(StatusCode::OK, &verdict)
}
