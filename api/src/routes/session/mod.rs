//! Routes of getting in and out: the first run, signing in, and the session that comes of it.

pub(super) mod redeem;
pub(super) mod setup;
pub(super) mod show;
pub(super) mod sign_in;
pub(super) mod sign_out;
