//! Pauses a view, and lets a paused or halted one go on. What is read meanwhile is what it was.

use commands::authorize::Action;

use super::{missing, named, shown};
use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const PAUSE: Route = Route {
    method: "POST",
    path: "/api/views/{view}/pause",
    access: Access::Holding(Action::OperateViews),
    handle: |route| route.to(pause),
};

pub(in crate::routes) const RESUME: Route = Route {
    method: "POST",
    path: "/api/views/{view}/resume",
    access: Access::Holding(Action::OperateViews),
    handle: |route| route.to(resume),
};

async fn pause(write: Write) -> Answer {
    write.fields()?.close()?;
    let view = named(&write)?;
    if !write.bus.store().pause_view(view.name, view.version).await? {
        return Err(missing());
    }
    tracing::info!(by = %write.by(), view = view.name, "the view is paused by hand");
    shown(&write, view).await
}

async fn resume(write: Write) -> Answer {
    write.fields()?.close()?;
    let view = named(&write)?;
    if !write.bus.store().resume_view(view.name, view.version).await? {
        return Err(missing());
    }
    tracing::info!(by = %write.by(), view = view.name, "the view is resumed by hand");
    shown(&write, view).await
}
