//! Who works here, in which teams, and with which tokens. What says who somebody is stays sealed in these documents; the
//! door opens it for those who may see it.

mod api_tokens;
mod teams;
mod users;

pub use api_tokens::{ApiTokenDetail, Revoked};
pub use teams::TeamDetail;
pub use users::UserDetail;
