//! Passes over work for good; its lane goes on.

use commands::authorize::Action;

use super::{moved, work_id};
use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/work/{id}/skip",
    access: Access::Holding(Action::OperateWork),
    handle: |route| route.to(skip),
};

async fn skip(write: Write) -> Answer {
    write.fields()?.close()?;
    let id = work_id(&write.id)?;
    let done = write.bus.store().skip_work(id).await?;
    tracing::info!(by = %write.by(), work = %id, done, "work is skipped by hand");
    moved(&write, id, done, "only what nobody has begun, or what has failed, can be skipped").await
}
