//! What has happened to a session, as it is stored for decades.

use serde::{Deserialize, Serialize};

use crate::ids::{ActorId, UserId};
use crate::{StoredEvent, Upcaster};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "session.begun")]
    Begun { by: ActorId, user: UserId, method: Method },
    #[serde(rename = "session.ended")]
    Ended { by: ActorId, why: Ended },
}

/// How somebody proved who he is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The one-time code of the first run.
    Setup,
    Password,
    /// A one-time link that was handed over or sent to his address.
    Link,
    /// Somebody else vouches for him: the name of the provider.
    Provider(String),
}

/// Why a session ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    SignedOut,
    /// By himself from elsewhere, or by an admin.
    Revoked,
    PasswordChanged,
    Deactivated,
    Erased,
}

impl StoredEvent for Event {
    const NAMES: &'static [&'static str] = &["session.begun", "session.ended"];

    const UPCASTERS: &'static [Upcaster] = &[];

    fn name(&self) -> &'static str {
        match self {
            Self::Begun { .. } => "session.begun",
            Self::Ended { .. } => "session.ended",
        }
    }

    fn version(&self) -> u32 {
        1
    }
}

crate::cqrs::domain_event!(Event);
