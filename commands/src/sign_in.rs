//! Signing in with an address and a password. Whoever guesses learns nothing: not whether the address is known, not from
//! how long it takes, and he is made to wait longer and longer.

use std::net::IpAddr;

use domain::ids::UserId;
use domain::session::{Ended, Method};
use domain::user::{Command, PasswordBy, User};
use domain::{Fault, Refusal};
use jiff::Timestamp;
use vault::passwords::{PasswordError, Weakness};
use vault::throttle::{Guess, Wait};

use crate::invitations::about;
use crate::sessions::{self, Begun};
use crate::users::{self, Address, Change};
use crate::{Bus, CommandError, Keys, Request, ids};

/// What somebody shows at the door.
#[derive(Clone)]
pub struct Shown {
    pub email: Address,
    pub password: String,
    pub from: IpAddr,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shown({:?})", self.email)
    }
}

/// What came of it.
#[derive(Debug)]
pub enum SignedIn {
    Yes(Box<Begun>),
    /// Somehow not: unknown, wrong, or not allowed any more.
    No,
    /// Too many guesses: not looked at at all.
    Wait(std::time::Duration),
}

/// Signs somebody in who shows his password; `request` is what this request is once it is known whose.
pub async fn with_password(
    bus: &Bus,
    keys: &Keys,
    request: impl AsyncFn(&str) -> Request,
    shown: &Shown,
    at: Timestamp,
) -> Result<SignedIn, CommandError> {
    let guess = Guess { what: "password", account: shown.email.as_str(), from: shown.from };
    let admitted = match keys.throttle.admit(&guess, at).await? {
        Ok(admitted) => admitted,
        Err(Wait(wait)) => return Ok(SignedIn::Wait(wait)),
    };
    let user = users::user_of(bus, &keys.vault, &shown.email).await?;
    // Before it is proved: a password that is changed meanwhile proves nothing.
    let account = match &user {
        Some(user) => bus.look::<User>(user).await?.map(|(account, ..)| account),
        None => None,
    };
    // Nobody's password takes as long as somebody's.
    let right = match keys.passwords.verify(user.as_deref().unwrap_or_default(), &shown.password).await {
        // Not looked at, so no guess.
        Err(PasswordError::Busy) => {
            keys.throttle.succeeded(admitted).await?;
            return Err(CommandError::Busy);
        }
        right => right?,
    };
    let Some((user, account)) = user.zip(account).filter(|(_, account)| right && account.is_active()) else {
        return Ok(SignedIn::No);
    };
    keys.throttle.succeeded(admitted).await?;
    let request = request(&user).await;
    let begun = sessions::begin(bus, &request, (&UserId::new(user), account.generation), Method::Password, at).await?;
    Ok(SignedIn::Yes(Box::new(begun)))
}

/// Changes one's own password, which ends all other sessions.
pub async fn change_password(
    bus: &Bus,
    keys: &Keys,
    request: &Request,
    (old, new): (&str, &str),
    session: &str,
    (from, at): (IpAddr, Timestamp),
) -> Result<Changed, CommandError> {
    let user = request.actor.id.as_str();
    let guess = Guess { what: "old password", account: user, from };
    let admitted = match keys.throttle.admit(&guess, at).await? {
        Ok(admitted) => admitted,
        Err(Wait(wait)) => return Ok(Changed::Wait(wait)),
    };
    if !keys.passwords.verify(user, old).await? {
        return Err(Refusal::forbidden("wrong_password", "the present password is another one").into());
    }
    keys.throttle.succeeded(admitted).await?;
    let (account, ..) =
        bus.look::<User>(user).await?.ok_or_else(|| Refusal::missing("user_missing", "there is no such user"))?;
    let about = about(keys, &account).await?;
    let about: Vec<&str> = about.iter().map(String::as_str).collect();
    keys.passwords.set(user, new, &about).await.map_err(|error| match error {
        PasswordError::Weak(weaknesses) => {
            let fault = |weakness: Weakness| Fault::new("/new_password", weakness.to_string());
            Refusal::Invalid(weaknesses.into_iter().map(fault).collect()).into()
        }
        other => CommandError::from(other),
    })?;
    let command = Command::SetPassword { by: request.actor.id.clone(), how: PasswordBy::Change };
    // The password stands: no condition and no key of the request keeps it from being told.
    let told = Request { command_id: ids::fresh(), idempotency: None, if_match: None, ..request.clone() };
    if let Err(error) = bus.run(&told, &Change { user: user.to_owned(), command }).await {
        if matches!(error, CommandError::Refused(_)) {
            keys.passwords.remove(user).await?;
        }
        return Err(error);
    }
    sessions::keep_on(bus, user, session).await?;
    sessions::end_all(bus, request, user, Some(session), Ended::PasswordChanged).await?;
    Ok(Changed::Yes)
}

/// What came of changing a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Yes,
    /// Too many guesses at the old one: not looked at at all.
    Wait(std::time::Duration),
}
