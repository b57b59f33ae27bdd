//! The keys of owners: made once, numbered, kept wrapped in one register each, and destroyed for good.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use storage::Store;
use storage::registers::Register;

use crate::VaultError;
use crate::cipher::{Bound, Key};
use crate::kind::Kind;
use crate::masters::{Known, Masters, Wrapped};
use crate::shelf::{Keys, Shelf};

/// How often a change is tried again because others changed the same register first.
const ATTEMPTS: u32 = 20;
/// Keys that one owner may have.
const NUMBERS: usize = 1_000;
/// Owners that are asked for in one query.
const OWNERS: usize = 500;
/// Bytes of an owner's id.
const OWNER_BYTES: usize = 200;
/// Registers read in one go when keys are rewrapped.
const PAGE: usize = 200;

/// What stands in the register of an owner.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// His keys were destroyed; the register stays, so that nobody makes new ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    erased: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    keys: BTreeMap<u32, Wrapped>,
}

#[derive(Debug)]
pub(crate) struct Keyring {
    store: Store,
    pub(crate) masters: Masters,
    shelf: Shelf,
}

impl Keyring {
    pub(crate) fn new(store: Store, masters: Masters) -> Self {
        Self { store, masters, shelf: Shelf::new() }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The keys of each of `owners` who has any, in one query for those who are not remembered with the number that is
    /// asked for.
    pub(crate) async fn of(
        &self,
        kind: Kind,
        owners: &BTreeMap<&str, u32>,
    ) -> Result<HashMap<String, Arc<Keys>>, VaultError> {
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        for (owner, number) in owners {
            match self.shelf.get(kind, owner) {
                Some(keys) if keys.suffice(*number) => {
                    found.insert((*owner).to_owned(), keys);
                }
                // Made on another node since.
                _ => missing.push(*owner),
            }
        }
        for owners in missing.chunks(OWNERS) {
            let reading = self.shelf.begin();
            for register in self.store.registers_of(kind.register(), owners).await? {
                let kept = parse(kind, &register)?;
                let keys = Arc::new(self.unwrapped(kind, &register.key, &kept).await?);
                self.shelf.put(kind, &register.key, keys.clone(), reading);
                found.insert(register.key, keys);
            }
        }
        Ok(found)
    }

    /// The newest key of an owner and its number. Whoever has none gets his first, and of two nodes that make it at once
    /// one does.
    pub(crate) async fn newest_or_first(&self, kind: Kind, owner: &str) -> Result<(u32, Key), VaultError> {
        in_bounds(owner)?;
        for _ in 0..ATTEMPTS {
            let keys = match self.of(kind, &BTreeMap::from([(owner, 0)])).await?.remove(owner) {
                Some(keys) => keys,
                None => match self.add(kind, owner, 0, Kept::default()).await? {
                    Some(keys) => keys,
                    None => continue,
                },
            };
            return keys.newest(owner);
        }
        Err(VaultError::Contended(format!("the keys of {owner}")))
    }

    /// A new key for what is sealed from now on. What was sealed before opens as before.
    pub(crate) async fn rotate(&self, kind: Kind, owner: &str) -> Result<u32, VaultError> {
        in_bounds(owner)?;
        for _ in 0..ATTEMPTS {
            let (revision, kept) = self.read(kind, owner).await?;
            if kept.erased {
                return Err(VaultError::Erased(owner.to_owned()));
            }
            if kept.keys.len() >= NUMBERS {
                return Err(VaultError::OutOfBounds(format!("{owner} has {NUMBERS} keys, and may not have more")));
            }
            if let Some(keys) = self.add(kind, owner, revision, kept).await? {
                return keys.newest(owner).map(|(number, _)| number);
            }
        }
        Err(VaultError::Contended(format!("the keys of {owner}")))
    }

    /// Destroys all keys of an owner. Doing it twice is doing it once.
    pub(crate) async fn destroy(&self, kind: Kind, owner: &str) -> Result<(), VaultError> {
        in_bounds(owner)?;
        let tombstone = Kept { erased: true, keys: BTreeMap::new() };
        for _ in 0..ATTEMPTS {
            let (revision, kept) = self.read(kind, owner).await?;
            if kept.erased || self.write(kind, owner, revision, &tombstone).await? {
                self.shelf.erase(kind, owner);
                return Ok(());
            }
        }
        Err(VaultError::Contended(format!("the keys of {owner}")))
    }

    /// Rewraps by the active master key whatever is under another one; says how many owners' keys were. May be cut short
    /// anywhere and begun again.
    pub(crate) async fn rewrap(&self) -> Result<u64, VaultError> {
        let mut rewrapped = 0;
        for kind in Kind::ALL {
            let mut after = String::new();
            loop {
                let page = self.store.registers(kind.register(), &after, PAGE).await?;
                for register in &page {
                    rewrapped += u64::from(self.rewrap_one(kind, register).await?);
                }
                match page.last() {
                    Some(last) if page.len() == PAGE => after.clone_from(&last.key),
                    _ => break,
                }
            }
        }
        Ok(rewrapped)
    }

    async fn rewrap_one(&self, kind: Kind, register: &Register) -> Result<bool, VaultError> {
        let (mut revision, mut kept) = (register.revision, parse(kind, register)?);
        for _ in 0..ATTEMPTS {
            let known = self.masters.known();
            let active = known.active()?;
            if kept.keys.values().all(|wrapped| wrapped.by == active.id()) {
                return Ok(false);
            }
            let Keys::Kept(keys) = self.unwrapped(kind, &register.key, &kept).await? else { return Ok(false) };
            for (number, key) in &keys {
                kept.keys.insert(*number, wrap(&known, kind, &register.key, *number, key)?);
            }
            if self.write(kind, &register.key, revision, &kept).await? {
                return Ok(true);
            }
            (revision, kept) = self.read(kind, &register.key).await?;
        }
        Err(VaultError::Contended(format!("the keys of {}", register.key)))
    }

    /// None: somebody else was faster.
    async fn add(
        &self,
        kind: Kind,
        owner: &str,
        revision: u64,
        mut kept: Kept,
    ) -> Result<Option<Arc<Keys>>, VaultError> {
        let reading = self.shelf.begin();
        let number = kept.keys.last_key_value().map_or(1, |(last, _)| last + 1);
        let fresh = Key::draw()?;
        kept.keys.insert(number, wrap(&self.masters.known(), kind, owner, number, &fresh)?);
        if !self.write(kind, owner, revision, &kept).await? {
            return Ok(None);
        }
        let keys = Arc::new(self.unwrapped(kind, owner, &kept).await?);
        self.shelf.put(kind, owner, keys.clone(), reading);
        Ok(Some(keys))
    }

    async fn read(&self, kind: Kind, owner: &str) -> Result<(u64, Kept), VaultError> {
        match self.store.register(kind.register(), owner).await? {
            Some(register) => Ok((register.revision, parse(kind, &register)?)),
            None => Ok((0, Kept::default())),
        }
    }

    async fn write(&self, kind: Kind, owner: &str, revision: u64, kept: &Kept) -> Result<bool, VaultError> {
        let value = serde_json::json!(kept).to_string();
        Ok(self.store.set_register(kind.register(), &Register { key: owner.to_owned(), value, revision }, None).await?)
    }

    async fn unwrapped(&self, kind: Kind, owner: &str, kept: &Kept) -> Result<Keys, VaultError> {
        if kept.erased {
            return Ok(Keys::Erased);
        }
        let mut known = self.masters.known();
        if kept.keys.values().any(|wrapped| known.get(&wrapped.by).is_none()) {
            // The master key was rotated on another node.
            (_, _, known) = self.masters.reload().await?;
        }
        let mut keys = BTreeMap::new();
        for (number, wrapped) in &kept.keys {
            let master = known.get(&wrapped.by);
            let key = master.and_then(|master| wrapped.key(&master.wrapping(kind), &bound(kind, owner, *number)));
            keys.insert(*number, key.ok_or_else(|| damaged(kind, owner))?);
        }
        Ok(Keys::Kept(keys))
    }
}

impl Keys {
    fn suffice(&self, number: u32) -> bool {
        match self {
            Self::Erased => true,
            Self::Kept(keys) => number == 0 || keys.contains_key(&number),
        }
    }

    fn newest(&self, owner: &str) -> Result<(u32, Key), VaultError> {
        match self {
            Self::Erased => Err(VaultError::Erased(owner.to_owned())),
            Self::Kept(keys) => {
                let (number, key) = keys.last_key_value().ok_or_else(|| VaultError::Erased(owner.to_owned()))?;
                Ok((*number, key.clone()))
            }
        }
    }
}

fn wrap(known: &Known, kind: Kind, owner: &str, number: u32, key: &Key) -> Result<Wrapped, VaultError> {
    let master = known.active()?;
    Ok(Wrapped::new(master.id(), master.wrapping(kind).seal(key.bytes(), &bound(kind, owner, number))?))
}

fn bound(kind: Kind, owner: &str, number: u32) -> Bound {
    Bound::to(&["pagefree key v1", kind.name(), owner, &number.to_string()])
}

fn in_bounds(owner: &str) -> Result<(), VaultError> {
    if owner.is_empty() || owner.len() > OWNER_BYTES || owner.contains('\0') {
        return Err(VaultError::OutOfBounds(format!("the owner of a key has an id of 1 to {OWNER_BYTES} bytes")));
    }
    Ok(())
}

fn parse(kind: Kind, register: &Register) -> Result<Kept, VaultError> {
    serde_json::from_str(&register.value).map_err(|_| damaged(kind, &register.key))
}

fn damaged(kind: Kind, owner: &str) -> VaultError {
    VaultError::Damaged(format!(
        "the {} keys of {owner} are damaged, or belong to another database; restore the registers from a backup",
        kind.name()
    ))
}
