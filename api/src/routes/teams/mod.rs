//! Routes of teams: one file a verb.

pub(super) mod archive;
pub(super) mod create;
pub(super) mod edit;
pub(super) mod history;
pub(super) mod list;
pub(super) mod show;
