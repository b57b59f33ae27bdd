//! What keys are for. Each kind is wrapped by a key of its own, so that no box of one passes for one of another.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// One person's, under which his data are sealed.
    Subject,
    /// What a secret reference of a runbook, a target or a channel is sealed under.
    Secret,
    /// The private halves of signing keys.
    Signing,
    /// The one under the blind index.
    Blind,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Subject, Self::Secret, Self::Signing, Self::Blind];

    /// Part of what is bound to each wrapped key. Never changes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Secret => "secret",
            Self::Signing => "signing",
            Self::Blind => "blind",
        }
    }

    /// The kind of register that holds the wrapped keys.
    pub(crate) fn register(self) -> &'static str {
        match self {
            Self::Subject => "vault_subject",
            Self::Secret => "vault_secret",
            Self::Signing => "vault_signing",
            Self::Blind => "vault_blind",
        }
    }
}
