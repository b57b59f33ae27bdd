//! Changing what somebody is called and where he is written to. An address is reserved before it is told, and the old one
//! given back after; what a crash in between leaves behind is reserved for nobody else.

use domain::Refusal;
use domain::user::{Command, User};
use jiff::Timestamp;

use super::Change;
use super::addresses::{Address, Reserved, release, reserve};
use super::enrol::check_name;
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
    let sealed: Vec<_> =
        account.name.iter().map(|n| (n, "name")).chain(account.email.iter().map(|e| (e, "email"))).collect();
    let known: Vec<Option<String>> = keys.vault.unseal_all(&sealed).await?.into_iter().collect::<Result<_, _>>()?;
    let known = |index: usize| known.get(index).and_then(Option::as_deref);
    // Sealed anew the same would look changed.
    let name = name.map(|name| name.trim().to_owned()).filter(|name| known(0) != Some(name));
    let email = email.filter(|email| known(1) != Some(email.as_str()));
    if let Some(email) = &email
        && reserve(bus, &keys.vault, email, user, at).await? == Reserved::Taken
    {
        return Err(Refusal::state("address_taken", "somebody with this e-mail address is here already").into());
    }
    let mut command = Command::ChangeProfile { by: request.actor.id.clone(), name: None, email: None };
    if let Command::ChangeProfile { name: new_name, email: new_email, .. } = &mut command {
        if let Some(name) = &name {
            *new_name = Some(keys.vault.seal(user, "name", name).await?);
        }
        if let Some(email) = &email {
            *new_email = Some(keys.vault.seal(user, "email", email.as_str()).await?);
        }
    }
    let done = bus.run(request, &Change { user: user.to_owned(), command }).await;
    let old = known(1).and_then(|old| old.parse::<Address>().ok());
    match (&done, email, old) {
        (Ok(_), Some(_), Some(old)) => release(bus, &keys.vault, &old, user).await?,
        (Err(CommandError::Refused(_) | CommandError::Denied(_) | CommandError::Moved { .. }), Some(email), _) => {
            release(bus, &keys.vault, &email, user).await?;
        }
        _ => {}
    }
    done
}
