//! How fresh an answer must be: what a caller wrote, he can read.

use std::time::Duration;

use projections::{View, Views};
use storage::{Store, Token};

use crate::problem::Problem;

/// How long an answer waits for a view that is behind.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Waits until a view has folded what somebody has seen.
pub(crate) async fn view_reaches<V: View>(views: &Views, wanted: Option<&Token>) -> Result<(), Problem> {
    let Some(wanted) = wanted else { return Ok(()) };
    let store = views.store();
    let epoch = store.epoch().await?;
    if wanted.epoch != epoch {
        return Err(Problem::other_history(&store.token(store.head().await?).await?));
    }
    let reached = views.reach(V::NAME, wanted.position, PATIENCE).await;
    reached.map_err(|behind| Problem::behind(&Token { epoch, position: behind.position }))
}

/// Of the log itself: a position is there or it is not, so that waiting is of no use.
pub(crate) async fn log_has(store: &Store, wanted: &Token) -> Result<(), Problem> {
    // The head first: whatever is loaded afterwards holds at least that much.
    let present = store.token(store.head().await?).await?;
    if wanted.epoch != present.epoch {
        return Err(Problem::other_history(&present));
    }
    if wanted.position > present.position { Err(Problem::behind(&present)) } else { Ok(()) }
}
