//! Data about a person as it may stand in the log: sealed under that person's own key, so that destroying the key
//! erases it everywhere, in old backups too. Sealing and opening need keys, so they are not done here.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Bytes that a box may have, in base64: whatever seals something longer than a name or an address is wrong.
pub const BOX_CHARACTERS: usize = 4_096;

/// One datum of one person, unreadable without the key. The field of an event that holds such a datum has this type, and
/// there is none that holds it in clear.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Whose it is.
    pub subject: String,
    /// Which of his keys it is sealed under.
    pub key: u32,
    pub nonce: String,
    #[serde(rename = "box")]
    pub sealed: String,
}

/// Short, because an envelope in a log line helps nobody.
impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(of {} under key {})", self.subject, self.key)
    }
}
