//! Sessions: a secret that a browser keeps, its hash here, and how long it may be idle. A session is a register, gone at
//! once wherever it is removed; that it began and was ended stands in the log.

use domain::ids::{ActorId, TeamId, UserId};
use domain::session::{Command, Ended, Method, Session};
use domain::user::User;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use storage::registers::Register;
use vault::secrets::{self, Purpose, Secret};

use crate::actor::Credential;
use crate::authorize::Action;
use crate::{Actor, Bus, CommandError, Governed, Request, ids};

const KIND: &str = "session";
/// After this long without a request it is over.
const IDLE: Duration = Duration::from_hours(24);
/// It is over in any case.
const WHOLE: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Its last use is written down at most this often.
const TOUCH: SignedDuration = SignedDuration::from_mins(5);
/// Sessions that one person has at the same time; the oldest one gives way.
const AT_ONCE: usize = 50;

impl Governed for Session {
    fn action(_: &Command) -> Action {
        Action::ManagePeople
    }

    fn action_here(&self, command: &Command) -> Action {
        let own = match command {
            Command::Begin { by, user, .. } => by.as_str() == user.as_str(),
            Command::End { by, .. } => self.user.as_ref().is_some_and(|user| user.as_str() == by.as_str()),
        };
        if own { Action::ManageOneself } else { Self::action(command) }
    }

    fn by(command: &Command) -> Option<&ActorId> {
        Some(command.by())
    }

    fn teams<'a>(&'a self, _: &'a Command) -> Vec<Option<&'a TeamId>> {
        vec![None]
    }
}

/// What is kept of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub id: String,
    pub user: String,
    hash: String,
    /// Of the account when it was proved whose it is.
    generation: u64,
    pub method: Method,
    pub begun_at: Timestamp,
    pub used_at: Timestamp,
    /// From where and with which program it began, sealed under the person's key.
    pub ip_enc: Option<String>,
    pub client_enc: Option<String>,
}

impl Kept {
    pub fn ends_at(&self) -> Timestamp {
        self.begun_at.saturating_add(WHOLE).unwrap_or(Timestamp::MAX)
    }
}

/// A session that has just begun. Its secret is shown only now.
#[derive(Clone)]
pub struct Begun {
    pub secret: String,
    pub kept: Kept,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kept.fmt(f)
    }
}

/// Begins a session of somebody who has proved who he is, while his account was of that generation.
pub async fn begin(
    bus: &Bus,
    request: &Request,
    (user, generation): (&UserId, u64),
    method: Method,
    at: Timestamp,
) -> Result<Begun, CommandError> {
    make_room(bus, user.as_str()).await?;
    let id = ids::fresh().to_string();
    let request = Request { actor: Actor::user(user.as_str(), []), ..request.clone() };
    let by = request.actor.id.clone();
    let told = Request { command_id: ids::fresh(), idempotency: None, if_match: None, ..request.clone() };
    bus.create::<Session>(&told, &id, &Command::Begin { by, user: user.clone(), method: method.clone() }).await?;
    let secret = format!("{}.{id}.{user}", Secret::draw(Purpose::Session)?.reveal());
    let kept = Kept {
        hash: secrets::hash(&secret),
        generation,
        id,
        user: user.to_string(),
        method,
        begun_at: at,
        used_at: at,
        ip_enc: request.ip_enc.clone(),
        client_enc: request.client_enc.clone(),
    };
    bus.store().set_register(KIND, &register(&kept, 0), Some(IDLE)).await?;
    Ok(Begun { secret, kept })
}

/// Whose session this is, if it is one that lasts still, and may be used.
pub async fn look_up(bus: &Bus, secret: &str, at: Timestamp) -> Result<Option<(Actor, Kept)>, CommandError> {
    let Some((session, user)) = secret.strip_prefix(Purpose::Session.mark()).and_then(parts) else { return Ok(None) };
    let key = key(user, session);
    // Both at once: neither says anything to whoever does not have the secret.
    let (known, account) = tokio::join!(bus.store().register(KIND, &key), bus.look::<User>(user));
    let (Some(known), Some((account, ..))) = (known?, account?) else { return Ok(None) };
    let kept = read(&known)?;
    let lasts = kept.ends_at() > at && account.is_active() && account.generation == kept.generation;
    if !lasts || !secrets::same(&secrets::hash(secret), &kept.hash) {
        return Ok(None);
    }
    if at.duration_since(kept.used_at) >= TOUCH {
        let touched = Kept { used_at: at, ..kept.clone() };
        // Whoever changed it meanwhile has touched or removed it.
        bus.store().set_register(KIND, &register(&touched, known.revision), Some(IDLE)).await?;
    }
    let credential = Some(Credential::Session(kept.id.clone()));
    Ok(Some((Actor { credential, ..Actor::user(user, account.grants.iter().cloned()) }, kept)))
}

/// Lets one session go on that its own person changed the account in. Any other of an earlier generation is over.
pub(crate) async fn keep_on(bus: &Bus, user: &str, session: &str) -> Result<(), CommandError> {
    let generation = bus.look::<User>(user).await?.map_or(0, |(account, ..)| account.generation);
    for _ in 0..5 {
        let Some(known) = bus.store().register(KIND, &key(user, session)).await? else { return Ok(()) };
        let kept = Kept { generation, ..read(&known)? };
        if bus.store().set_register(KIND, &register(&kept, known.revision), Some(IDLE)).await? {
            return Ok(());
        }
    }
    Err(CommandError::Contended)
}

/// What a form or script of ours must send with every change, so that no other site can: follows from the secret.
pub fn csrf(secret: &str) -> String {
    secrets::hash(&format!("csrf:{secret}"))
}

/// Whether that was sent.
pub fn csrf_matches(secret: &str, sent: &str) -> bool {
    secrets::same(&csrf(secret), sent)
}

/// Everybody's own, the oldest first.
pub async fn of(bus: &Bus, user: &str) -> Result<Vec<Kept>, CommandError> {
    let prefix = key(user, "");
    let mut found = Vec::new();
    let mut after = prefix.clone();
    loop {
        let page = bus.store().registers(KIND, &after, AT_ONCE).await?;
        let own: Vec<&Register> = page.iter().take_while(|register| register.key.starts_with(&prefix)).collect();
        for register in &own {
            found.push(read(register)?);
        }
        match page.last() {
            Some(last) if own.len() == AT_ONCE => after.clone_from(&last.key),
            _ => break,
        }
    }
    found.sort_by(|a: &Kept, b| (a.begun_at, &a.id).cmp(&(b.begun_at, &b.id)));
    Ok(found)
}

/// Ends a session of `user`: at once, and then in the log. Says whether there was one.
pub async fn end(bus: &Bus, request: &Request, user: &str, session: &str, why: Ended) -> Result<bool, CommandError> {
    let known = bus.store().register(KIND, &key(user, session)).await?;
    if let Some(known) = &known
        && !bus.store().remove_register(KIND, &known.key, known.revision).await?
    {
        // Touched in between.
        remove(bus, user, session).await?;
    }
    let told =
        bus.look::<Session>(session).await?.filter(|(told, ..)| told.user.as_ref().is_some_and(|u| u.as_str() == user));
    if let Some((told, ..)) = told
        && !told.ended
    {
        let request = Request { command_id: ids::fresh(), idempotency: None, if_match: None, ..request.clone() };
        bus.execute::<Session>(&request, session, &Command::End { by: request.actor.id.clone(), why }).await?;
        return Ok(true);
    }
    Ok(known.is_some())
}

/// Ends all sessions of `user` but one.
pub async fn end_all(
    bus: &Bus,
    request: &Request,
    user: &str,
    but: Option<&str>,
    why: Ended,
) -> Result<usize, CommandError> {
    let mut ended = 0;
    for kept in of(bus, user).await? {
        if Some(kept.id.as_str()) != but {
            ended += usize::from(end(bus, request, user, &kept.id, why).await?);
        }
    }
    Ok(ended)
}

/// Takes all sessions of `user` but one away, telling nobody.
pub(crate) async fn remove_all(bus: &Bus, user: &str, but: Option<&str>) -> Result<(), CommandError> {
    for kept in of(bus, user).await? {
        if Some(kept.id.as_str()) != but {
            remove(bus, user, &kept.id).await?;
        }
    }
    Ok(())
}

async fn remove(bus: &Bus, user: &str, session: &str) -> Result<(), CommandError> {
    // A touch in between costs another look; nobody touches forever.
    for _ in 0..5 {
        let Some(known) = bus.store().register(KIND, &key(user, session)).await? else { return Ok(()) };
        if bus.store().remove_register(KIND, &known.key, known.revision).await? {
            return Ok(());
        }
    }
    Err(CommandError::Contended)
}

async fn make_room(bus: &Bus, user: &str) -> Result<(), CommandError> {
    let all = of(bus, user).await?;
    for old in all.iter().take((all.len() + 1).saturating_sub(AT_ONCE)) {
        remove(bus, user, &old.id).await?;
    }
    Ok(())
}

/// `<random>.<session>.<user>`, after the prefix.
fn parts(secret: &str) -> Option<(&str, &str)> {
    let (random, rest) = secret.split_once('.')?;
    let (session, user) = rest.split_once('.')?;
    let sound = !random.is_empty() && domain::ids::is_sound(session) && domain::ids::is_sound(user);
    sound.then_some((session, user))
}

fn key(user: &str, session: &str) -> String {
    format!("{user}/{session}")
}

fn register(kept: &Kept, revision: u64) -> Register {
    Register { key: key(&kept.user, &kept.id), value: serde_json::json!(kept).to_string(), revision }
}

fn read(register: &Register) -> Result<Kept, CommandError> {
    Ok(serde_json::from_str(&register.value).map_err(|error| {
        storage::StorageError::Incompatible(format!("the register of a session does not read: {error}"))
    })?)
}
