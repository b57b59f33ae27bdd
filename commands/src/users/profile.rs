//! Changing what somebody is called and where he is written to. An address is reserved before it is told, and the old one
//! given back after; what a crash in between leaves behind is reserved for nobody else.

use domain::Refusal;
use domain::user::{Command, Standing, User};
use jiff::Timestamp;

use super::Change;
use super::addresses::{Address, Reserved, release, reserve};
use super::enrol::{check_name, is_definite};
use crate::{Bus, CommandError, Keys, Outcome, Request};

/// What is absent stays.
pub async fn edit_profile(
    bus: &Bus,
    keys: &Keys,
    request: &Request,
    user: &str,
    name: Option<String>,
    email: Option<Address>,
    at: Timestamp,
) -> Result<Outcome, CommandError> {
    let faults = name.as_deref().map(check_name).unwrap_or_default();
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults).into());
    }
    let (account, ..) =
        bus.look::<User>(user).await?.ok_or_else(|| Refusal::missing("user_missing", "there is no such user"))?;
    if account.standing == Standing::Erased {
        return Err(Refusal::state("user_erased", "this person was erased, for good").into());
    }
    let [known_name, known_email] = known(keys, &account).await?;
    // Sealed anew the same would look changed.
    let name = name.map(|name| name.trim().to_owned()).filter(|name| known_name.as_ref() != Some(name));
    let email = email.filter(|email| known_email.as_deref() != Some(email.as_str()));
    let reserved = match &email {
        Some(email) => reserve(bus, &keys.vault, email, user, at).await?,
        None => Reserved::Already,
    };
    if reserved == Reserved::Taken {
        return Err(Refusal::state("address_taken", "somebody with this e-mail address is here already").into());
    }
    let done = tell(bus, keys, request, user, name.as_deref(), email.as_ref()).await;
    match (&done, &email) {
        // Whatever was recorded, now or before: only the present address stays his.
        (Ok(_), Some(_)) => settle(bus, keys, user, known_email, email.as_ref()).await?,
        (Err(error), Some(email)) if reserved == Reserved::Now && is_definite(error) => {
            release(bus, &keys.vault, email, user).await?;
        }
        _ => {}
    }
    done
}

async fn known(keys: &Keys, account: &User) -> Result<[Option<String>; 2], CommandError> {
    let mut known = [None, None];
    for (n, (sealed, field)) in [(&account.name, "name"), (&account.email, "email")].into_iter().enumerate() {
        if let Some(sealed) = sealed {
            known[n] = keys.vault.unseal(sealed, field).await?;
        }
    }
    Ok(known)
}

async fn tell(
    bus: &Bus,
    keys: &Keys,
    request: &Request,
    user: &str,
    name: Option<&str>,
    email: Option<&Address>,
) -> Result<Outcome, CommandError> {
    let name = match name {
        Some(name) => Some(keys.vault.seal(user, "name", name).await?),
        None => None,
    };
    let email = match email {
        Some(email) => Some(keys.vault.seal(user, "email", email.as_str()).await?),
        None => None,
    };
    let command = Command::ChangeProfile { by: request.actor.id.clone(), name, email };
    bus.run(request, &Change { user: user.to_owned(), command }).await
}

/// Gives back whichever of the two addresses is not the present one: somebody else may have changed it in between.
async fn settle(
    bus: &Bus,
    keys: &Keys,
    user: &str,
    old: Option<String>,
    new: Option<&Address>,
) -> Result<(), CommandError> {
    let Some((account, ..)) = bus.look::<User>(user).await? else { return Ok(()) };
    let [_, present] = known(keys, &account).await?;
    let old = old.and_then(|old| old.parse::<Address>().ok());
    for address in old.iter().chain(new) {
        if present.as_deref() != Some(address.as_str()) {
            release(bus, &keys.vault, address, user).await?;
        }
    }
    Ok(())
}
