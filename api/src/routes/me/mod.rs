//! Routes of one's own account. Only the person himself, signed in, passes their doors.

pub(super) mod delegation;
pub(super) mod password;
pub(super) mod profile;
pub(super) mod sessions;
