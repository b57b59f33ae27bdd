//! Folds a parked document again, after what kept it from being folded was put right.

use commands::authorize::Action;

use super::{named, shown};
use crate::Answer;
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::write::Write;

/// Characters of a key.
const KEY_CHARACTERS: usize = 300;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/views/{view}/retry",
    access: Access::Holding(Action::OperateViews),
    handle: |route| route.to(retry),
};

async fn retry(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let key: String = fields.required("key").unwrap_or_default();
    if key.chars().count() > KEY_CHARACTERS || key.contains('\0') {
        fields.fault("key", "must be the key of a document");
    }
    fields.close()?;
    let view = named(&write)?;
    let done = view.unpark(write.bus.store(), &key).await?;
    tracing::info!(by = %write.by(), view = view.name, key, done, "a parked document is folded again by hand");
    if !done {
        let detail = "it cannot be folded still, there is no such document, or the view does not move";
        return Err(Problem::conflict("still_parked", detail));
    }
    shown(&write, view).await
}
