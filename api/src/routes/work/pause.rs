//! Pauses and resumes a kind of work, or all of it. Nothing is lost meanwhile, and what is under way goes on.

use actix_web::http::StatusCode;
use commands::authorize::Action;
use serde_json::{Value, json};

use super::{kind, pause_document};
use crate::Answer;
use crate::respond;
use crate::routes::{Access, Route};
use crate::write::Write;

/// Characters of a reason.
const REASON_CHARACTERS: usize = 500;

pub(in crate::routes) const PAUSE: Route = Route {
    method: "POST",
    path: "/api/work/pause",
    access: Access::Holding(Action::OperateWork),
    handle: |route| route.to(pause),
};

pub(in crate::routes) const RESUME: Route = Route {
    method: "POST",
    path: "/api/work/resume",
    access: Access::Holding(Action::OperateWork),
    handle: |route| route.to(resume),
};

async fn pause(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let kind = kind(&mut fields);
    let reason: String = fields.optional("reason").unwrap_or_default();
    if reason.chars().count() > REASON_CHARACTERS {
        fields.fault("reason", format!("must have at most {REASON_CHARACTERS} characters"));
    }
    fields.close()?;
    write.bus.store().pause_work(kind.as_deref(), &reason).await?;
    tracing::info!(by = %write.by(), kind = kind.as_deref().unwrap_or("all"), reason, "work is paused");
    pauses(&write).await
}

async fn resume(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let kind = kind(&mut fields);
    fields.close()?;
    write.bus.store().resume_work(kind.as_deref()).await?;
    tracing::info!(by = %write.by(), kind = kind.as_deref().unwrap_or("all"), "work is resumed");
    pauses(&write).await
}

/// What is paused now.
async fn pauses(write: &Write) -> Answer {
    let pauses: Vec<Value> = write.bus.store().work_pauses().await?.iter().map(pause_document).collect();
    respond::json(StatusCode::OK, &json!({ "pauses": pauses }))
}
