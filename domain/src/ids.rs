//! Who and what a fact speaks of: opaque identifiers, one type per kind, so that none is taken for another.
//!
//! An identifier never says anything about a person: its alphabet has no `@` and no blank, so that neither an
//! address nor a name can stand where an identifier belongs.

use crate::Fault;

/// Bytes that an identifier may have.
pub const ID_BYTES: usize = 128;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self::new(id)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// Who acted: a person, an API token, a partner, a reaction or the system.
    ActorId
);
id!(
    /// A person who can be assigned, called and asked. Names and addresses are joined on output only.
    UserId
);
id!(TeamId);
id!(ServiceId);
id!(RunbookId);
id!(IncidentId);
id!(ApprovalId);
id!(StatusPageId);
id!(
    /// A part of a status page. Never given to another part again.
    ComponentId
);
id!(PartnerGrantId);
id!(
    /// A person outside of the house: whose data is sealed under a key of his own.
    SubjectId
);

/// Whether `id` has the shape of an identifier.
pub fn is_sound(id: &str) -> bool {
    (1..=ID_BYTES).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-'))
}

/// Adds a fault at `pointer` unless `id` has the shape of an identifier.
pub(crate) fn check(id: impl AsRef<str>, pointer: &str, faults: &mut Vec<Fault>) {
    if !is_sound(id.as_ref()) {
        faults.push(Fault::new(
            pointer,
            format!("must be an identifier: 1 to {ID_BYTES} letters, digits, '.', '_', ':' or '-'"),
        ));
    }
}
