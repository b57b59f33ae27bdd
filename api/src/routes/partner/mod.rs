//! What partners may ask for: to exchange a secret for a token, and to read. Nothing here changes anything.

pub(super) mod jwks;
pub(super) mod pages;
pub(super) mod token;
