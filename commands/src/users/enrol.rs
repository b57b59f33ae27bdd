//! Letting somebody in: by an admin, from the command line, through a provider, or as the first one of all.

use std::collections::BTreeSet;

use domain::ids::{ActorId, UserId};
use domain::platform::{self, Platform};
use domain::roles::Grant;
use domain::sealed::Sealed;
use domain::team::Team;
use domain::user::{Command, Origin, PasswordBy, User};
use domain::{Fault, Refusal};
use jiff::Timestamp;
use storage::StorageError;

use super::addresses::{Address, Reserved, release, reserve};
use super::admins::keep_in_step;
use crate::{Bus, CommandError, Keys, Outcome, Procedure, Request, Unit};

const NAME_CHARACTERS: usize = 200;

/// Somebody who is to be let in.
#[derive(Debug, Clone)]
pub struct Newcomer {
    pub name: String,
    pub email: Address,
    pub grants: BTreeSet<Grant>,
    pub origin: Origin,
    /// None: he chooses one himself, through a link.
    pub password: Option<Welcome>,
}

/// The first password of somebody.
#[derive(Clone)]
pub struct Welcome {
    pub password: String,
    pub how: PasswordBy,
}

impl std::fmt::Debug for Welcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Welcome({:?})", self.how)
    }
}

#[derive(Debug, Clone)]
pub struct Enrolled {
    pub user: UserId,
    pub outcome: Outcome,
}

/// What is wrong with what was sent, besides its address.
pub(crate) fn check_name(name: &str) -> Vec<Fault> {
    let sound = (1..=NAME_CHARACTERS).contains(&name.trim().chars().count()) && !name.chars().any(char::is_control);
    if sound {
        return vec![];
    }
    vec![Fault::new("/name", format!("must have 1 to {NAME_CHARACTERS} characters, none of them a control character"))]
}

/// Lets somebody in, under the id of the command. His address is reserved and his password kept before the append that
/// makes him; what a crash in between leaves behind belongs to nobody and gives no way in.
pub async fn enrol(
    bus: &Bus,
    keys: &Keys,
    request: &Request,
    newcomer: Newcomer,
    at: Timestamp,
) -> Result<Enrolled, CommandError> {
    let id = request.command_id.to_string();
    let faults = check_name(&newcomer.name);
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults).into());
    }
    let reserved = reserve(bus, &keys.vault, &newcomer.email, &id, at).await?;
    if reserved == Reserved::Taken {
        return Err(Refusal::state("address_taken", "somebody with this e-mail address is here already").into());
    }
    if let Some(welcome) = &newcomer.password {
        let about = [newcomer.name.as_str(), newcomer.email.as_str()];
        if let Err(error) = keys.passwords.set(&id, &welcome.password, &about).await {
            if reserved == Reserved::Now {
                release(bus, &keys.vault, &newcomer.email, &id).await?;
            }
            return Err(error.into());
        }
    }
    let enrol = Enrol {
        by: request.actor.id.clone(),
        name: keys.vault.seal(&id, "name", newcomer.name.trim()).await?,
        email: keys.vault.seal(&id, "email", newcomer.email.as_str()).await?,
        how: newcomer.password.as_ref().map(|welcome| welcome.how),
        newcomer,
        id: id.clone(),
    };
    let outcome = match bus.run(request, &enrol).await {
        Ok(outcome) => outcome,
        Err(error) => {
            if reserved == Reserved::Now && is_definite(&error) {
                release(bus, &keys.vault, &enrol.newcomer.email, &id).await?;
                keys.passwords.remove(&id).await?;
            }
            return Err(error);
        }
    };
    Ok(Enrolled { user: UserId::new(id), outcome })
}

/// Whether nothing was recorded, for certain.
pub(super) fn is_definite(error: &CommandError) -> bool {
    !matches!(error, CommandError::Storage(StorageError::Unknown(_)))
}

struct Enrol {
    by: ActorId,
    id: String,
    name: Sealed,
    email: Sealed,
    how: Option<PasswordBy>,
    newcomer: Newcomer,
}

impl Procedure for Enrol {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let by = self.by.clone();
        if self.newcomer.origin == Origin::Setup {
            unit.decide::<Platform>(platform::ID, &platform::Command::SetUp { by: by.clone() }).await?;
        }
        for (index, grant) in self.newcomer.grants.iter().enumerate() {
            let Some(team) = &grant.team else { continue };
            if !unit.read::<Team>(team.as_str()).await?.is_open() {
                let fault = Fault::new(format!("/roles/{index}/team_id"), "must be a team that is not archived");
                return Err(Refusal::Invalid(vec![fault]).into());
            }
        }
        let create = Command::Create {
            by: by.clone(),
            user: UserId::new(&*self.id),
            name: self.name.clone(),
            email: self.email.clone(),
            grants: self.newcomer.grants.clone(),
            origin: self.newcomer.origin,
        };
        unit.decide::<User>(&self.id, &create).await?;
        if let Some(how) = self.how {
            unit.decide::<User>(&self.id, &Command::SetPassword { by: by.clone(), how }).await?;
        }
        keep_in_step(unit, &by, &self.id).await
    }
}
