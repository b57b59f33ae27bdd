//! One-time links by which somebody chooses a password: handed over by an admin, or sent to his address. A link opens
//! one account once, and for a short time.

use std::time::Duration;

use domain::Refusal;
use domain::ids::UserId;
use domain::session::{Ended, Method};
use domain::user::{Command, PasswordBy, User};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use storage::registers::Register;
use vault::passwords::{self, PasswordError};
use vault::secrets::{self, Purpose, Secret};

use crate::sessions::{self, Begun};
use crate::users::Change;
use crate::{Actor, ActorKind, Bus, CommandError, Keys, Request, ids};

const KIND: &str = "invitation";
/// How long a link is good for that an admin hands over.
pub const HANDED_OVER: Duration = Duration::from_hours(72);
/// How long one is good for that somebody asked to be sent.
pub const SENT: Duration = Duration::from_mins(30);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    user: String,
    /// Of the account when the link was made: a password that was set since makes it worthless.
    generation: u64,
}

/// A new secret that opens an active account. It takes somebody who is signed in, because whoever has the link is that
/// person; that it was made is told.
pub async fn invite(bus: &Bus, request: &Request, user: &str, lifetime: Duration) -> Result<String, CommandError> {
    if request.actor.kind == ActorKind::ApiToken {
        let detail = "only somebody who is signed in lets others in; a token does not";
        return Err(Refusal::forbidden("not_a_person", detail).into());
    }
    let command = Command::Invite { by: request.actor.id.clone() };
    bus.run(request, &Change { user: user.to_owned(), command }).await?;
    let (account, ..) =
        bus.look::<User>(user).await?.ok_or_else(|| Refusal::missing("user_missing", "there is no such user"))?;
    let secret = Secret::draw(Purpose::Link)?.reveal().to_owned();
    keep(bus, &secret, &Kept { user: user.to_owned(), generation: account.generation }, lifetime).await?;
    Ok(secret)
}

async fn keep(bus: &Bus, secret: &str, kept: &Kept, lifetime: Duration) -> Result<(), CommandError> {
    let register = Register { key: secrets::hash(secret), value: serde_json::json!(kept).to_string(), revision: 0 };
    bus.store().set_register(KIND, &register, Some(lifetime)).await?;
    Ok(())
}

/// Uses a link up: its person gets the password, loses all sessions, and is signed in.
pub async fn redeem(
    bus: &Bus,
    keys: &Keys,
    request: impl AsyncFn(&str) -> Request,
    secret: &str,
    password: &str,
    at: Timestamp,
) -> Result<Begun, CommandError> {
    let spent = || {
        let detail = "this link was used, has expired, or was never made; ask for a new one";
        CommandError::from(Refusal::forbidden("link_spent", detail))
    };
    let register = bus.store().register(KIND, &secrets::hash(secret)).await?.ok_or_else(spent)?;
    let kept: Kept = serde_json::from_str(&register.value).map_err(|error| {
        storage::StorageError::Incompatible(format!("the register of a link does not read: {error}"))
    })?;
    let (account, ..) = bus.look::<User>(&kept.user).await?.ok_or_else(spent)?;
    if !account.is_active() || account.generation != kept.generation {
        return Err(spent());
    }
    // A password that will not do must not use the link up.
    let about = about(keys, &account).await?;
    let about: Vec<&str> = about.iter().map(String::as_str).collect();
    let weaknesses = passwords::check(password, &about);
    if !weaknesses.is_empty() {
        return Err(PasswordError::Weak(weaknesses).into());
    }
    if !bus.store().remove_register(KIND, &register.key, register.revision).await? {
        return Err(spent());
    }
    if let Err(error) = keys.passwords.set(&kept.user, password, &about).await {
        // Nothing was done with it, so it is good for another try.
        keep(bus, secret, &kept, SENT).await?;
        return Err(error.into());
    }
    let request = request(&kept.user).await;
    let user = Actor::user(&*kept.user, account.grants.iter().cloned());
    let request = Request { actor: user, command_id: ids::fresh(), ..request };
    let command = Command::SetPassword { by: request.actor.id.clone(), how: PasswordBy::Link };
    if let Err(error) = bus.run(&request, &Change { user: kept.user.clone(), command }).await {
        if matches!(error, CommandError::Refused(_)) {
            keys.passwords.remove(&kept.user).await?;
        }
        return Err(error);
    }
    sessions::end_all(bus, &request, &kept.user, None, Ended::PasswordChanged).await?;
    let generation = bus.look::<User>(&kept.user).await?.map_or(0, |(account, ..)| account.generation);
    sessions::begin(bus, &request, (&UserId::new(kept.user), generation), Method::Link, at).await
}

/// What a password must not contain: who somebody is.
pub(crate) async fn about(keys: &Keys, account: &User) -> Result<Vec<String>, CommandError> {
    let sealed: Vec<_> = account
        .name
        .iter()
        .map(|name| (name, "name"))
        .chain(account.email.iter().map(|email| (email, "email")))
        .collect();
    let opened: Result<Vec<Option<String>>, _> = keys.vault.unseal_all(&sealed).await?.into_iter().collect();
    Ok(opened?.into_iter().flatten().collect())
}
