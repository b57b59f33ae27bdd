//! Routes of partner grants: one file a verb.

pub(super) mod accesses;
pub(super) mod edit;
pub(super) mod grant;
pub(super) mod history;
pub(super) mod list;
pub(super) mod pages;
pub(super) mod renew;
pub(super) mod resume;
pub(super) mod revoke;
pub(super) mod scope;
pub(super) mod show;
pub(super) mod suspend;
pub(super) mod tokens;
