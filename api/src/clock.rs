//! What time it is, for commands that need to be told.

use jiff::Timestamp;

pub(crate) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the door is where commands get their time")]
    Timestamp::now()
}
