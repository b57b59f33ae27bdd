//! What a partner grant is after its events: the fold, without a single rule; and whom it lets in.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ActorId, SubjectId};
use crate::partner_grant::event::{Event, Granted};
use crate::partner_grant::scope::Scope;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody was granted anything: the stream is empty.
    #[default]
    Ungranted,
    /// Its time has not come.
    Pending,
    Active,
    Suspended,
    Revoked,
    Expired,
}

impl Status {
    /// Every status that a grant can have.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Active, Self::Suspended, Self::Revoked, Self::Expired];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ungranted => "ungranted",
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PartnerGrant {
    pub status: Status,
    /// Raised by every change; what was resolved under a lower one is out of date.
    pub version: u64,
    pub granted_by: Option<ActorId>,
    pub organisation: String,
    pub people: BTreeSet<SubjectId>,
    pub scope: Scope,
    pub from: Timestamp,
    pub until: Timestamp,
}

/// Why a grant does not let anybody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shut {
    /// There is no such grant.
    Ungranted,
    Early,
    Suspended,
    Revoked,
    Over,
}

impl Shut {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ungranted => "no_grant",
            Self::Early => "not_yet",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::Over => "over",
        }
    }
}

impl PartnerGrant {
    /// Whether the grant is open at `at`. The time box is compared with the clock itself: a timer that is late neither
    /// leaves anything open nor keeps anything shut.
    pub fn open(&self, at: Timestamp) -> Result<(), Shut> {
        match self.status {
            Status::Ungranted => Err(Shut::Ungranted),
            Status::Suspended => Err(Shut::Suspended),
            Status::Revoked => Err(Shut::Revoked),
            Status::Expired => Err(Shut::Over),
            Status::Pending | Status::Active if at < self.from => Err(Shut::Early),
            Status::Pending | Status::Active if at >= self.until => Err(Shut::Over),
            Status::Pending | Status::Active => Ok(()),
        }
    }

    pub(super) fn fold_event(&mut self, event: &Event) {
        self.version += 1;
        match event {
            Event::Granted(granted) => self.grant(granted),
            Event::Edited { organisation, people, .. } => {
                if let Some(organisation) = organisation {
                    self.organisation.clone_from(organisation);
                }
                if let Some(people) = people {
                    self.people.clone_from(people);
                }
            }
            Event::ScopeChanged { scope, .. } => self.scope.clone_from(scope),
            Event::Renewed { from, until, .. } => {
                (self.from, self.until) = (*from, *until);
                // A suspension outlives a renewal.
                if self.status != Status::Suspended {
                    self.status = Status::Pending;
                }
            }
            Event::Activated { .. } => self.status = Status::Active,
            Event::Suspended { .. } => self.status = Status::Suspended,
            Event::Resumed { .. } => self.status = Status::Pending,
            Event::Revoked { .. } => self.status = Status::Revoked,
            Event::Expired { .. } => self.status = Status::Expired,
        }
    }

    fn grant(&mut self, granted: &Granted) {
        let Granted { by, organisation, people, scope, from, until, reason: _ } = granted.clone();
        self.status = Status::Pending;
        self.granted_by = Some(by);
        self.organisation = organisation;
        self.people = people;
        self.scope = scope;
        self.from = from;
        self.until = until;
    }
}
