//! What a person's account is after its events: the fold, without a single rule.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::UserId;
use crate::roles::{Grant, Role};
use crate::sealed::Sealed;
use crate::user::event::{Created, Event};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// There is nobody of this id.
    #[default]
    Absent,
    Active,
    Deactivated,
    /// Nothing is left but his id and what he did.
    Erased,
}

impl Standing {
    /// Those that somebody can be shown in.
    pub const SHOWN: [Self; 3] = [Self::Active, Self::Deactivated, Self::Erased];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Active => "active",
            Self::Deactivated => "deactivated",
            Self::Erased => "erased",
        }
    }
}

/// How somebody came to have an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The first one, by the one-time code.
    Setup,
    CommandLine,
    Invited,
    /// Came in through a provider that vouches for him.
    Provider,
}

/// How a password came to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordBy {
    Setup,
    CommandLine,
    /// By himself, who knew the old one.
    Change,
    /// By himself, through a one-time link that was handed over or sent to his address.
    Link,
}

/// Who gives his approvals, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    pub to: UserId,
    pub from: Timestamp,
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct User {
    pub id: Option<UserId>,
    pub standing: Standing,
    pub name: Option<Sealed>,
    pub email: Option<Sealed>,
    pub grants: BTreeSet<Grant>,
    pub has_password: bool,
    /// Raised whenever what was proved before must not count any more: a session or link of an earlier one opens nothing.
    #[serde(default)]
    pub generation: u64,
    /// By provider, the blind hash of who he is there.
    pub providers: BTreeMap<String, String>,
    pub delegation: Option<Delegation>,
}

impl User {
    pub fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }

    /// Holds the platform's highest role, everywhere.
    pub fn is_platform_admin(&self) -> bool {
        self.grants.iter().any(|grant| grant.role == Role::PlatformAdmin && grant.team.is_none())
    }

    /// Who stands in for him at that moment.
    pub fn stand_in(&self, at: Timestamp) -> Option<&UserId> {
        let now = |delegation: &&Delegation| delegation.from <= at && at < delegation.until;
        self.delegation.as_ref().filter(now).filter(|_| self.is_active()).map(|delegation| &delegation.to)
    }

    pub(super) fn fold_event(&mut self, event: &Event) {
        match event {
            Event::Created(created) => self.create(created),
            Event::ProfileChanged { name, email, .. } => {
                self.name = name.clone().or_else(|| self.name.take());
                self.email = email.clone().or_else(|| self.email.take());
            }
            Event::RoleGranted { grant, .. } => drop(self.grants.insert(grant.clone())),
            Event::RoleRevoked { grant, .. } => drop(self.grants.remove(grant)),
            Event::Deactivated { .. } => {
                self.standing = Standing::Deactivated;
                self.generation += 1;
            }
            Event::Reactivated { .. } => self.standing = Standing::Active,
            Event::PasswordSet { .. } => {
                self.has_password = true;
                self.generation += 1;
            }
            // Somebody who has a link and no password yet keeps his other ways in.
            Event::Invited { .. } => {}
            Event::ProviderLinked { provider, link, .. } => {
                self.providers.insert(provider.clone(), link.clone());
            }
            Event::ProviderUnlinked { provider, .. } => drop(self.providers.remove(provider)),
            Event::Delegated { to, from, until, .. } => {
                self.delegation = Some(Delegation { to: to.clone(), from: *from, until: *until });
            }
            Event::DelegationEnded { .. } => self.delegation = None,
            Event::Erased { .. } => {
                *self = Self { id: self.id.take(), standing: Standing::Erased, ..Self::default() };
            }
        }
    }

    fn create(&mut self, created: &Created) {
        self.id = Some(created.user.clone());
        self.standing = Standing::Active;
        self.name = Some(created.name.clone());
        self.email = Some(created.email.clone());
        self.grants.clone_from(&created.grants);
    }
}
