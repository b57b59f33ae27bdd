//! Routes of incidents: one file a verb.

pub(super) mod acknowledge;
pub(super) mod assign;
pub(super) mod declare;
pub(super) mod edit;
pub(super) mod history;
pub(super) mod list;
pub(super) mod merge;
pub(super) mod notes;
pub(super) mod reopen;
pub(super) mod resolve;
pub(super) mod responders;
pub(super) mod severity;
pub(super) mod show;
pub(super) mod snooze;
pub(super) mod timeline;
pub(super) mod unacknowledge;
pub(super) mod unmerge;
