//! The write side: who may ask for what, and how a decision gets into the log.
//!
//! A command goes one way: authorize, load, decide (pure, in `domain`), append, and again from the load when somebody
//! was faster. Nothing here touches the outside world.

pub mod accesses;
mod actor;
pub mod authorize;
mod bus;
mod contention;
mod error;
mod governed;
pub mod ids;
pub mod incidents;
pub mod partner_grants;
pub mod partner_secrets;
mod request;
pub mod runbooks;
mod states;
pub mod status_pages;
pub mod tokens;
mod unit;

pub use actor::{Actor, ActorKind};
pub use bus::{Bus, Procedure};
pub use domain::roles::{Grant, Role};
pub use error::CommandError;
pub use governed::Governed;
pub use request::Request;
pub use unit::{Outcome, Unit};
