//! Tries failed work again, or work that waits for another attempt, at once.

use commands::authorize::Action;

use super::{moved, work_id};
use crate::Answer;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/work/{id}/retry",
    access: Access::Holding(Action::OperateWork),
    handle: |route| route.to(retry),
};

async fn retry(write: Write) -> Answer {
    write.fields()?.close()?;
    let id = work_id(&write.id)?;
    let done = write.bus.store().retry_by_hand(id).await?;
    tracing::info!(by = %write.by(), work = %id, done, "work is retried by hand");
    moved(&write, id, done, "only what has failed, or waits for another attempt, can be retried").await
}
