//! Routes of approvals: one file a verb.

pub(super) mod bulk;
pub(super) mod history;
pub(super) mod list;
pub(super) mod show;
pub(super) mod vote;
