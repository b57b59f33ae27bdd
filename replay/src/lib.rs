//! The auditors' tools: views built anew from the log, and compared with what is live.
//!
//! Neither reactions nor connectors are linked here: history may be replayed a thousand times, and nobody is called and
//! no work is created.

mod compare;
mod diff;
mod patience;

pub use diff::{Counted, DiffError, Difference, Part, Report, SHOWN, diff};
pub use projections::build::{BuildError, Built};
use projections::registry::Registration;
use storage::Store;

/// Builds a view anew from the log, beside the live one, which goes on being read and moved, and puts it in its place.
pub async fn rebuild(
    store: &Store,
    view: &Registration,
    observer: &mut (dyn FnMut(Built) + Send),
) -> Result<Built, BuildError> {
    view.rebuild(store, observer).await
}
