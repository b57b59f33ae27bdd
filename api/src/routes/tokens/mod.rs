//! Routes of API tokens: one's own under `/api/me/tokens`, everybody's for who looks after them.

pub(super) mod history;
pub(super) mod list;
pub(super) mod mint;
pub(super) mod revoke;
pub(super) mod show;
