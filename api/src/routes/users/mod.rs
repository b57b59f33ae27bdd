//! Routes of people's accounts: one file a verb.

pub(super) mod create;
pub(in crate::routes) mod edit;
pub(super) mod erase;
pub(super) mod history;
pub(super) mod invite;
pub(super) mod list;
pub(super) mod roles;
pub(in crate::routes) mod sessions;
pub(super) mod show;
pub(super) mod standing;
