//! The write side: who may ask for what, and how a decision gets into the log.
//!
//! A command goes one way: authorize, load, decide (pure, in `domain`), append, and again from the load when somebody
//! was faster. Nothing here touches the outside world.

pub mod accesses;
mod actor;
pub mod approvals;
pub mod authorize;
mod bus;
mod contention;
mod error;
mod governed;
pub mod ids;
pub mod incidents;
pub mod invitations;
mod keys;
pub mod partner_grants;
pub mod partner_secrets;
pub mod platform;
mod request;
pub mod runbooks;
pub mod sessions;
pub mod setup;
pub mod sign_in;
mod states;
pub mod status_pages;
mod teams;
pub mod tokens;
mod unit;
pub mod users;

pub use actor::{Actor, ActorKind, Credential};
pub use bus::{Bus, Procedure};
pub use domain::roles::{Grant, Role};
pub use error::CommandError;
pub use governed::Governed;
pub use keys::Keys;
pub use request::Request;
pub use unit::{Outcome, Unit};
