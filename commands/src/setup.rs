//! The first run: whoever has the one-time code that the server printed becomes the first platform admin.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::Refusal;
use domain::roles::{Grant, Role};
use domain::user::{Origin, PasswordBy};
use jiff::Timestamp;
use serde_json::json;
use std::time::Duration;
use storage::registers::Register;
use vault::secrets::{self, Secret};
use vault::throttle::{Guess, Wait};

use crate::users::{Address, Enrolled, Newcomer, Welcome, enrol};
use crate::{Actor, Bus, CommandError, Keys, Request, platform};

const KIND: &str = "setup";
const KEY: &str = "code";
/// How long a code is good for; each start of a server that nobody has set up makes a new one.
const LIFETIME: Duration = Duration::from_hours(24);

/// A new code, if nobody has set the platform up. It takes the place of the one before.
pub async fn new_code(bus: &Bus) -> Result<Option<String>, CommandError> {
    if platform::is_set_up(bus).await? {
        return Ok(None);
    }
    let code = Secret::draw_code()?;
    let value = json!({ "hash": kept(code.reveal()) }).to_string();
    for _ in 0..5 {
        let revision = bus.store().register(KIND, KEY).await?.map_or(0, |known| known.revision);
        let register = Register { key: KEY.to_owned(), value: value.clone(), revision };
        if bus.store().set_register(KIND, &register, Some(LIFETIME)).await? {
            return Ok(Some(code.reveal().to_owned()));
        }
    }
    Err(CommandError::Contended)
}

/// Makes the first platform admin.
pub async fn set_up(
    bus: &Bus,
    keys: &Keys,
    request: &Request,
    (code, from): (&str, IpAddr),
    newcomer: (String, Address, String),
    at: Timestamp,
) -> Result<Tried, CommandError> {
    if platform::is_set_up(bus).await? {
        return Err(Refusal::state("already_set_up", "this platform was set up before; sign in instead").into());
    }
    // A code is short, so that it can be typed: guesses at it are counted.
    let admitted = match keys.throttle.admit(&Guess { what: "setup", account: KEY, from }, at).await? {
        Ok(admitted) => admitted,
        Err(Wait(wait)) => return Ok(Tried::Wait(wait)),
    };
    let known = bus.store().register(KIND, KEY).await?;
    let right = known.as_ref().is_some_and(|known| {
        let value: serde_json::Value = serde_json::from_str(&known.value).unwrap_or_default();
        value["hash"].as_str().is_some_and(|hash| secrets::same(&kept(code), hash))
    });
    if !right {
        let detail = "the code is not the one that the server printed last; start it again for a new one";
        return Err(Refusal::forbidden("setup_code", detail).into());
    }
    keys.throttle.succeeded(admitted).await?;
    let (name, email, password) = newcomer;
    let grants = BTreeSet::from([Grant { role: Role::PlatformAdmin, team: None }]);
    // He acts as who he is about to be.
    let request =
        Request { actor: Actor::user(request.command_id.to_string(), grants.iter().cloned()), ..request.clone() };
    let password = Some(Welcome { password, how: PasswordBy::Setup });
    let newcomer = Newcomer { name, email, grants, origin: Origin::Setup, password };
    let enrolled = enrol(bus, keys, &request, newcomer, at).await?;
    if let Some(known) = known {
        bus.store().remove_register(KIND, KEY, known.revision).await?;
    }
    Ok(Tried::Done(Box::new(enrolled)))
}

/// What came of trying a code.
#[derive(Debug)]
pub enum Tried {
    Done(Box<Enrolled>),
    /// Too many guesses: not looked at at all.
    Wait(Duration),
}

/// What is kept of a code, however it was typed.
fn kept(code: &str) -> String {
    secrets::hash(&secrets::plain_code(code).unwrap_or_default())
}
