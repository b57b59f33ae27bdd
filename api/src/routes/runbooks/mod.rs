//! Routes of runbooks: one file a verb.

pub(super) mod approve;
pub(super) mod create;
pub(super) mod deprecate;
pub(super) mod diff;
pub(super) mod discard;
pub(super) mod edit;
pub(super) mod history;
pub(super) mod list;
pub(super) mod reject;
pub(super) mod show;
pub(super) mod submit;
pub(super) mod validate;
pub(super) mod version;
pub(super) mod versions;
pub(super) mod withdraw;
