//! What other rooms have against this process being sent requests.

use std::sync::Arc;

use domain::Fault;

/// What is wrong in a room now, asked for when somebody looks.
pub type Watch = Arc<dyn Fn() -> Vec<Fault> + Send + Sync>;

/// The server's own.
#[derive(Clone)]
pub(crate) struct Watches(pub(crate) Vec<Watch>);
