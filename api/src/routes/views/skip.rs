//! Leads a view past the event that it, or one of its documents, has stopped at.

use commands::authorize::Action;
use projections::oversight::{self, Skipped};

use super::{named, shown};
use crate::Answer;
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::write::Write;

/// Characters of a reason.
const REASON_CHARACTERS: usize = 500;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/views/{view}/skip",
    access: Access::Holding(Action::OperateViews),
    handle: |route| route.to(skip),
};

async fn skip(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let position: u64 = fields.required("position").unwrap_or_default();
    let reason: String = fields.required("reason").unwrap_or_default();
    if reason.chars().count() > REASON_CHARACTERS {
        fields.fault("reason", format!("must have at most {REASON_CHARACTERS} characters"));
    }
    fields.close()?;
    let view = named(&write)?;
    let skipped = oversight::skip(write.bus.store(), view, position, &reason).await?;
    tracing::info!(by = %write.by(), view = view.name, position, reason, ?skipped, "an event is skipped by hand");
    match skipped {
        Skipped::GoesOn | Skipped::Noted => shown(&write, view).await,
        Skipped::NothingStopped => {
            Err(Problem::conflict("nothing_stopped", "neither the view nor one of its documents has stopped there"))
        }
    }
}
