//! Routes of status pages as the house handles them: one file a verb.

pub(super) mod add_component;
pub(super) mod archive;
pub(super) mod components;
pub(super) mod create;
pub(super) mod edit;
pub(super) mod edit_component;
pub(super) mod history;
pub(super) mod list;
pub(super) mod move_component;
pub(super) mod remove_component;
pub(super) mod show;
pub(super) mod status;
