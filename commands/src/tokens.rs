//! API tokens: shown once, kept as a hash that names them. Whether one still opens anything, and what, is decided anew
//! for every request by its own stream and its owner's.

use std::collections::BTreeSet;

use domain::Refusal;
use domain::api_token::{ApiToken, Command};
use domain::ids::{ActorId, TeamId, UserId};
use domain::platform::{self, AdminKind, Platform};
use domain::roles::{Grant, Role};
use domain::user::User;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use storage::StorageError;
use storage::registers::Register;
use vault::secrets::{self, Purpose, Secret};

use crate::actor::Credential;
use crate::authorize::Action;
use crate::{Actor, ActorKind, Bus, CommandError, Governed, Outcome, Procedure, Request, Unit};

const KIND: &str = "api_token";

impl Governed for ApiToken {
    fn action(_: &Command) -> Action {
        Action::ManageTokens
    }

    fn action_here(&self, command: &Command) -> Action {
        let owner = match command {
            Command::Mint { owner, .. } => owner.as_ref(),
            Command::Revoke { .. } => self.owner.as_ref(),
        };
        let own = owner.is_some_and(|owner| owner.as_str() == command.by().as_str());
        if own { Action::ManageOneself } else { Action::ManageTokens }
    }

    fn by(command: &Command) -> Option<&ActorId> {
        Some(command.by())
    }

    fn teams<'a>(&'a self, _: &'a Command) -> Vec<Option<&'a TeamId>> {
        vec![None]
    }
}

/// What a hash leads to. It never changes, but it may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Named {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<UserId>,
}

/// A token that is to be made.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub name: String,
    /// In whose name it acts; nobody's is a service's own.
    pub owner: Option<UserId>,
    pub grants: BTreeSet<Grant>,
    pub read_only: bool,
    pub expires_at: Option<Timestamp>,
}

impl Wanted {
    /// A service's own, with one role everywhere.
    pub fn service(name: &str, role: Role) -> Self {
        let grants = BTreeSet::from([Grant { role, team: None }]);
        Self { name: name.to_owned(), owner: None, grants, read_only: false, expires_at: None }
    }
}

/// A token that was just made. Its secret is shown only now.
#[derive(Clone)]
pub struct Minted {
    pub id: String,
    pub secret: String,
    pub outcome: Outcome,
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Minted({})", self.id)
    }
}

/// Makes a token under the id of the command. Its hash is kept before it is told: what a crash in between leaves behind
/// names a token that does not exist, and opens nothing.
pub async fn mint(bus: &Bus, request: &Request, wanted: Wanted, at: Timestamp) -> Result<Minted, CommandError> {
    let id = request.command_id.to_string();
    let secret = Secret::draw(Purpose::ApiToken)?.reveal().to_owned();
    let named = Named { id: id.clone(), owner: wanted.owner.clone() };
    let register = Register { key: secrets::hash(&secret), value: serde_json::json!(named).to_string(), revision: 0 };
    bus.store().set_register(KIND, &register, None).await?;
    let through_the_door = request.actor.kind != ActorKind::System;
    let mint = Mint { by: request.actor.id.clone(), id: id.clone(), wanted, at, through_the_door };
    match bus.run(request, &mint).await {
        // A repeated request cannot show the secret of the first one, and must not leave a second one behind.
        Ok(outcome) if outcome.replayed => {
            bus.store().remove_register(KIND, &register.key, 1).await?;
            Err(Refusal::state("token_shown", "this token was made before, and its secret is shown once").into())
        }
        Ok(outcome) => Ok(Minted { id, secret, outcome }),
        Err(error) => {
            bus.store().remove_register(KIND, &register.key, 1).await?;
            Err(error)
        }
    }
}

/// Revokes a token: from the very next request on it opens nothing.
pub async fn revoke(bus: &Bus, request: &Request, id: &str, reason: Option<String>) -> Result<Outcome, CommandError> {
    bus.run(request, &Revoke { by: request.actor.id.clone(), id: id.to_owned(), reason }).await
}

/// Who comes in with this secret, if it opens anything now.
pub async fn look_up(bus: &Bus, secret: &str, at: Timestamp) -> Result<Option<(Actor, bool)>, CommandError> {
    if !secret.starts_with(Purpose::ApiToken.mark()) {
        return Ok(None);
    }
    // Found by the hash of what was sent: how long the search takes says nothing about any secret.
    let Some(register) = bus.store().register(KIND, &secrets::hash(secret)).await? else { return Ok(None) };
    let named: Named = serde_json::from_str(&register.value)
        .map_err(|error| StorageError::Incompatible(format!("the register of a token does not read: {error}")))?;
    let owner = async {
        match &named.owner {
            Some(owner) => bus.look::<User>(owner.as_str()).await,
            None => Ok(None),
        }
    };
    let (token, owner) = tokio::join!(bus.look::<ApiToken>(&named.id), owner);
    let Some((token, ..)) = token?.filter(|(token, ..)| token.opens(at)) else { return Ok(None) };
    let credential = Some(Credential::Token(named.id.clone()));
    let actor = match (&named.owner, owner?) {
        (None, _) => {
            let grants = token.grants.iter().cloned().collect();
            Actor { kind: ActorKind::ApiToken, id: ActorId::new(named.id), grants, credential }
        }
        (Some(id), Some((owner, ..))) if owner.is_active() => Actor {
            kind: ActorKind::ApiToken,
            id: ActorId::new(id.as_str()),
            grants: token.rights(&owner.grants),
            credential,
        },
        _ => return Ok(None),
    };
    Ok(Some((actor, token.read_only)))
}

struct Mint {
    by: ActorId,
    id: String,
    wanted: Wanted,
    at: Timestamp,
    /// By somebody who has a role, not from the command line.
    through_the_door: bool,
}

impl Procedure for Mint {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let Wanted { name, owner, grants, read_only, expires_at } = self.wanted.clone();
        let held = match &owner {
            None => None,
            Some(owner) => {
                let account = unit.read::<User>(owner.as_str()).await?;
                Some(if account.is_active() { account.grants.clone() } else { BTreeSet::new() })
            }
        };
        let admin = owner.is_none() && grants.contains(&Grant { role: Role::PlatformAdmin, team: None });
        if admin && self.through_the_door {
            let detail = "a service's own token cannot be a platform admin's here: whoever makes one could approve what \
                          he wrote himself; make it on the command line";
            return Err(Refusal::forbidden("service_admin", detail).into());
        }
        let (by, token, at) = (self.by.clone(), self.id.clone(), self.at);
        let mint = Command::Mint { by, token, owner, held, name, grants, read_only, expires_at, at };
        unit.decide::<ApiToken>(&self.id, &mint).await?;
        if admin && !read_only {
            let (by, kind) = (self.by.clone(), AdminKind::Service { until: expires_at });
            let add = platform::Command::AddAdmin { by, admin: ActorId::new(&*self.id), kind };
            unit.decide::<Platform>(platform::ID, &add).await?;
        }
        Ok(())
    }
}

struct Revoke {
    by: ActorId,
    id: String,
    reason: Option<String>,
}

impl Procedure for Revoke {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let (by, reason) = (self.by.clone(), self.reason.clone());
        unit.decide::<ApiToken>(&self.id, &Command::Revoke { by: by.clone(), reason }).await?;
        let admin = ActorId::new(&*self.id);
        if unit.read::<Platform>(platform::ID).await?.admins.contains_key(&admin) {
            unit.decide::<Platform>(platform::ID, &platform::Command::RemoveAdmin { by, admin }).await?;
        }
        Ok(())
    }
}
