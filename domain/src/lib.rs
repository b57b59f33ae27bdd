//! What the business is: aggregates, their commands, events and decisions. No I/O, no clock, no randomness.

pub mod aggregate;
pub mod api_token;
pub mod approval;
pub mod catalogue;
pub mod cqrs;
pub mod ids;
pub mod incident;
mod json;
pub mod partner_access;
pub mod partner_grant;
pub mod platform;
mod pointer;
pub mod refusal;
pub mod roles;
pub mod runbook;
pub mod sealed;
pub mod session;
pub mod status_page;
pub mod status_page_slug;
pub mod stored;
pub mod team;
mod text;
mod url;
pub mod user;

pub use aggregate::Aggregate;
pub use refusal::{Fault, Refusal};
pub use stored::{DecodeError, StoredEvent, Upcaster};
