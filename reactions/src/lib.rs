//! What happens unasked. Reactors read the log and ask for work; workers claim the work and tell its outcome.
//!
//! A reactor has no I/O, so that the same event always asks for the same work; a worker has no rule, so that what it
//! wants is a command that an aggregate may find stale. Nothing here runs while history is replayed: a rebuild of views
//! does not come through here.

mod activate_grants;
mod backoff;
mod cause;
mod expire_approvals;
mod expire_grants;
mod follow;
mod follow_incidents;
mod forget_erased;
mod pool;
mod reactor;
mod registry;
mod run;
mod service;
mod status;
mod time_out_acknowledgements;
mod timers;
mod wake_snoozed;
mod watch;
mod worker;

pub use activate_grants::ActivateGrants;
pub use cause::Cause;
pub use expire_approvals::ExpireApprovals;
pub use expire_grants::ExpireGrants;
pub use pool::Options;
pub use reactor::{Reactor, Work};
pub use registry::Registry;
pub use service::Reactions;
pub use status::{Doing, Fault, Outcomes, ReactorState, Status};
pub use time_out_acknowledgements::TimeOutAcknowledgements;
pub use timers::Timer;
pub use wake_snoozed::WakeSnoozed;
pub use watch::Part;
pub use worker::{Assignment, Outcome, Worker};
