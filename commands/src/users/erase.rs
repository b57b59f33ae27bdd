//! Erasing a person. That it was decided is told first; then everything that could still say who he was is destroyed,
//! and that is done again by a reaction, for whoever dies in between.

use domain::user::Command;

use super::addresses::release_all;
use super::admins::Change;
use crate::{Bus, CommandError, Keys, Outcome, Request, sessions};

/// Erases a person, for good.
pub async fn erase(
    bus: &Bus,
    keys: &Keys,
    request: &Request,
    user: &str,
    reason: Option<String>,
) -> Result<Outcome, CommandError> {
    let command = Command::Erase { by: request.actor.id.clone(), reason };
    let outcome = bus.run(request, &Change { user: user.to_owned(), command }).await?;
    forget(bus, keys, user).await?;
    Ok(outcome)
}

/// Destroys what could still say who an erased person was. Does nothing the second time.
pub async fn forget(bus: &Bus, keys: &Keys, user: &str) -> Result<(), CommandError> {
    release_all(bus, user).await?;
    keys.passwords.remove(user).await?;
    sessions::remove_all(bus, user, None).await?;
    keys.vault.erase(user).await?;
    Ok(())
}
