//! Secrets of partners' programs: shown once, kept as a hash, exchanged for short tokens. They are registers; what
//! matters of them to history, their id, stands in every access.
//!
//! What counts is the list of a grant's secrets. Beside it stands, for each hash, where to look: whoever finds the way
//! but is not in the list is nobody.

use std::time::Duration;

use domain::Refusal;
use domain::ids::{ActorId, PartnerGrantId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use storage::registers::Register;
use storage::{StorageError, Store};
use vault::secrets::{Purpose, Secret, hash};

use crate::{CommandError, ids};

const LISTS: &str = "partner_secrets";
const WAYS: &str = "partner_secret_hash";
/// Secrets of one grant at one time, with those that were rotated.
pub const SECRETS: usize = 20;
/// How long a secret that was rotated is still good.
pub const OVERLAP: SignedDuration = SignedDuration::from_hours(24);
/// How often a change is tried again because somebody else was faster.
const ATTEMPTS: usize = 16;

/// What is kept of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub id: String,
    /// Given by whoever made it.
    pub name: String,
    pub created_by: ActorId,
    pub created_at: Timestamp,
    /// Until when it is still good, once it was rotated.
    pub expires_at: Option<Timestamp>,
    hash: String,
}

impl Kept {
    pub fn good(&self, at: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| at < end)
    }
}

/// Which secret of which grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub grant: PartnerGrantId,
    pub id: String,
}

/// Those of a grant that are good at `at`, the latest first.
pub async fn list(store: &Store, grant: &str, at: Timestamp) -> Result<Vec<Kept>, StorageError> {
    let (_, mut all) = read(store, grant).await?;
    all.retain(|kept| kept.good(at));
    all.reverse();
    Ok(all)
}

/// Makes a secret of a grant.
pub async fn create(
    store: &Store,
    grant: &str,
    name: &str,
    by: &ActorId,
    at: Timestamp,
) -> Result<(Secret, Kept), CommandError> {
    add(store, grant, by, at, |_| Ok(name.to_owned())).await
}

/// Makes another one in the place of `id`, which stays good for a while.
pub async fn rotate(
    store: &Store,
    grant: &str,
    id: &str,
    by: &ActorId,
    at: Timestamp,
) -> Result<(Secret, Kept), CommandError> {
    add(store, grant, by, at, |all| {
        let old = all.iter_mut().find(|kept| kept.id == id).ok_or_else(missing)?;
        let end = at.checked_add(OVERLAP).unwrap_or(Timestamp::MAX);
        old.expires_at = Some(old.expires_at.map_or(end, |known| known.min(end)));
        Ok(old.name.clone())
    })
    .await
}

/// Ends a secret at once, and with it every token that was made of it.
pub async fn remove(store: &Store, grant: &str, id: &str) -> Result<(), CommandError> {
    let gone = change(store, grant, |all| {
        let index = all.iter().position(|kept| kept.id == id).ok_or_else(missing)?;
        Ok(all.remove(index).hash)
    })
    .await?;
    // Only tidying: without a place in the list it is nobody's.
    if let Some(way) = store.register(WAYS, &gone).await? {
        store.remove_register(WAYS, &gone, way.revision).await?;
    }
    Ok(())
}

/// Whose secret this is, if it is one.
pub async fn look_up(store: &Store, secret: &str, at: Timestamp) -> Result<Option<Found>, StorageError> {
    // Found by the hash of what was sent: how long the search takes says nothing about any secret.
    let Some(way) = store.register(WAYS, &hash(secret)).await? else { return Ok(None) };
    let found: Found = serde_json::from_str(&way.value).map_err(|error| damaged(&error))?;
    let is_good = is_good(store, &found, at).await?;
    Ok(is_good.then_some(found))
}

/// Whether a secret is in the list of its grant, and good at `at`.
pub async fn is_good(store: &Store, found: &Found, at: Timestamp) -> Result<bool, StorageError> {
    let (_, all) = read(store, found.grant.as_str()).await?;
    Ok(all.iter().any(|kept| kept.id == found.id && kept.good(at)))
}

async fn add(
    store: &Store,
    grant: &str,
    by: &ActorId,
    at: Timestamp,
    name: impl Fn(&mut Vec<Kept>) -> Result<String, Refusal>,
) -> Result<(Secret, Kept), CommandError> {
    let secret = Secret::draw(Purpose::Partner).map_err(|error| StorageError::Unavailable(error.to_string()))?;
    let id = ids::fresh().to_string();
    let found = Found { grant: PartnerGrantId::new(grant), id: id.clone() };
    // The way first: a secret that is listed can be found.
    let way = Register { key: secret.hash(), value: serde_json::json!(found).to_string(), revision: 0 };
    store.set_register(WAYS, &way, None).await?;
    let added = change(store, grant, |all| {
        all.retain(|kept| kept.good(at));
        let name = name(all)?;
        if all.len() >= SECRETS {
            let detail = format!("a grant has at most {SECRETS} secrets; remove one");
            return Err(Refusal::state("too_many_secrets", detail));
        }
        let (created_by, hash) = (by.clone(), secret.hash());
        let kept = Kept { id: id.clone(), name, created_by, created_at: at, expires_at: None, hash };
        all.push(kept.clone());
        Ok(kept)
    })
    .await;
    if added.is_err() {
        store.remove_register(WAYS, &way.key, 1).await?;
    }
    Ok((secret, added?))
}

async fn change<T>(
    store: &Store,
    grant: &str,
    change: impl Fn(&mut Vec<Kept>) -> Result<T, Refusal>,
) -> Result<T, CommandError> {
    for _ in 0..ATTEMPTS {
        let (revision, mut all) = read(store, grant).await?;
        let done = change(&mut all)?;
        let list = Register { key: grant.to_owned(), value: serde_json::json!(all).to_string(), revision };
        if store.set_register(LISTS, &list, None::<Duration>).await? {
            return Ok(done);
        }
    }
    Err(CommandError::Contended)
}

async fn read(store: &Store, grant: &str) -> Result<(u64, Vec<Kept>), StorageError> {
    match store.register(LISTS, grant).await? {
        Some(list) => Ok((list.revision, serde_json::from_str(&list.value).map_err(|error| damaged(&error))?)),
        None => Ok((0, Vec::new())),
    }
}

fn missing() -> Refusal {
    Refusal::missing("secret_missing", "the grant has no such secret, or no longer")
}

fn damaged(error: &serde_json::Error) -> StorageError {
    StorageError::Incompatible(format!("the register of a partner's secrets does not read: {error}"))
}
