//! A token with which a program acts: in the name of the person who made it and never beyond his rights, or, a service's
//! own, by itself. Its secret is a register that names it; whether it still opens anything is decided by this stream.

mod decide;
pub mod event;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use event::{Event, Minted};

use crate::ids::{ActorId, UserId};
use crate::roles::{self, Grant};
use crate::{Aggregate, Refusal};

/// What may be asked of a token.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `held` are the rights of the one for whom it is made: a fact of his stream. None: nobody's, a service's own.
    Mint {
        by: ActorId,
        token: String,
        owner: Option<UserId>,
        held: Option<BTreeSet<Grant>>,
        name: String,
        grants: BTreeSet<Grant>,
        read_only: bool,
        expires_at: Option<Timestamp>,
        at: Timestamp,
    },
    Revoke {
        by: ActorId,
        reason: Option<String>,
    },
}

impl Command {
    pub fn by(&self) -> &ActorId {
        match self {
            Self::Mint { by, .. } | Self::Revoke { by, .. } => by,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ApiToken {
    /// Absent while the stream is empty.
    pub id: Option<String>,
    pub owner: Option<UserId>,
    pub name: String,
    pub grants: BTreeSet<Grant>,
    pub read_only: bool,
    pub expires_at: Option<Timestamp>,
    pub revoked: bool,
}

impl ApiToken {
    /// Whether it opens anything at that moment, as far as it is up to the token.
    pub fn opens(&self, at: Timestamp) -> bool {
        self.id.is_some() && !self.revoked && self.expires_at.is_none_or(|end| at < end)
    }

    /// What it may do while its owner holds these roles.
    pub fn rights(&self, held: &BTreeSet<Grant>) -> Vec<Grant> {
        self.grants.iter().filter(|grant| roles::covers(held, grant)).cloned().collect()
    }
}

impl Aggregate for ApiToken {
    const TYPE: &'static str = "api_token";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        self.decide_on(command)
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Minted(minted) => {
                let Minted { token, owner, name, grants, read_only, expires_at, .. } = &**minted;
                self.id = Some(token.clone());
                self.owner.clone_from(owner);
                self.name.clone_from(name);
                self.grants.clone_from(grants);
                self.read_only = *read_only;
                self.expires_at = *expires_at;
            }
            Event::Revoked { .. } => self.revoked = true,
        }
    }
}
