//! Which master keys this node can use: the one it was started with, and those that the database hands to whoever holds it.
//!
//! One register says which is active. While a rotation lasts it holds the new key wrapped by the old one, so that a node
//! may be started with either; what was replaced stays in it, wrapped by the active one, so that a key which a slow node
//! wrapped by it still opens.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use storage::Store;
use storage::registers::Register;

use crate::cipher::{Bound, Boxed, KEY_BYTES, Key};
use crate::kind::Kind;
use crate::{MasterKey, VaultError};

const KIND: &str = "vault_masters";
const RING: &str = "ring";
const CANARY: &str = "this is the right key";

/// A key under another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wrapped {
    /// The id of the master key.
    pub(crate) by: String,
    pub(crate) nonce: String,
    #[serde(rename = "box")]
    pub(crate) sealed: String,
}

impl Wrapped {
    pub(crate) fn new(by: &str, boxed: Boxed) -> Self {
        Self { by: by.to_owned(), nonce: boxed.nonce, sealed: boxed.sealed }
    }

    /// The key in it, if `under` is the right one and `bound` what it was bound to.
    pub(crate) fn key(&self, under: &Key, bound: &Bound) -> Option<Key> {
        let bytes = under.open(&self.nonce, &self.sealed, bound)?;
        <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok().map(Key::of)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ring {
    pub(crate) active: String,
    /// A known text under the active one.
    canary: Wrapped,
    /// The active one, wrapped by the one it replaces; empty once that one is retired.
    pub(crate) handed: BTreeMap<String, Wrapped>,
    /// Those that were replaced, wrapped by the active one. Grows by some 150 bytes with each rotation.
    pub(crate) kept: BTreeMap<String, Wrapped>,
}

impl Ring {
    fn first(master: &MasterKey) -> Result<Self, VaultError> {
        let canary = master.handing().seal(CANARY.as_bytes(), &canary(master.id()))?;
        Ok(Self {
            active: master.id().to_owned(),
            canary: Wrapped::new(master.id(), canary),
            handed: BTreeMap::new(),
            kept: BTreeMap::new(),
        })
    }

    /// The ring in which `new` takes the place of the active one.
    pub(crate) fn handed_to(&self, new: &MasterKey, known: &Known) -> Result<Self, VaultError> {
        let mut ring = Self::first(new)?;
        for id in self.kept.keys().chain([&self.active]) {
            let replaced = known.get(id).ok_or_else(|| damaged(&format!("master key {id}")))?;
            ring.kept.insert(id.clone(), hand(new, &replaced)?);
        }
        ring.handed.insert(self.active.clone(), hand(&*known.active()?, new)?);
        Ok(ring)
    }

    pub(crate) fn register(&self, revision: u64) -> Register {
        Register { key: RING.to_owned(), value: serde_json::json!(self).to_string(), revision }
    }
}

/// `key`, wrapped by `by`.
fn hand(by: &MasterKey, key: &MasterKey) -> Result<Wrapped, VaultError> {
    Ok(Wrapped::new(by.id(), by.handing().seal(key.bytes(), &handed(by.id(), key.id()))?))
}

fn handed(by: &str, id: &str) -> Bound {
    Bound::to(&["pagefree master v1", by, id])
}

fn canary(id: &str) -> Bound {
    Bound::to(&["pagefree canary v1", id])
}

/// Those that can be used now.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    active: String,
    keys: HashMap<String, Arc<MasterKey>>,
}

impl Known {
    pub(crate) fn get(&self, id: &str) -> Option<Arc<MasterKey>> {
        self.keys.get(id).cloned()
    }

    pub(crate) fn active(&self) -> Result<Arc<MasterKey>, VaultError> {
        self.get(&self.active).ok_or_else(|| damaged("the active master key"))
    }

    /// What holding `keys` opens of `ring`.
    fn learn(ring: &Ring, mut keys: HashMap<String, Arc<MasterKey>>, given: &str) -> Result<Self, VaultError> {
        if !keys.contains_key(&ring.active) {
            let held = ring.handed.iter().find_map(|(id, wrapped)| Some((id, wrapped, keys.get(id)?)));
            let Some((id, wrapped, by)) = held else {
                let (wanted, given) = (ring.active.clone(), given.to_owned());
                let retired = ring.kept.contains_key(&given);
                return Err(if retired {
                    VaultError::RetiredMaster { wanted, given }
                } else {
                    VaultError::WrongMaster { wanted, given }
                });
            };
            let key = wrapped.key(&by.handing(), &handed(id, &ring.active)).map(MasterKey::of);
            let key = key.filter(|key| key.id() == ring.active).ok_or_else(|| damaged("the new master key"))?;
            keys.insert(ring.active.clone(), Arc::new(key));
        }
        let active = keys[&ring.active].clone();
        let text = active.handing().open(&ring.canary.nonce, &ring.canary.sealed, &canary(active.id()));
        if text.is_none_or(|text| text.as_slice() != CANARY.as_bytes()) {
            return Err(damaged("the proof of the right master key"));
        }
        for (id, wrapped) in &ring.kept {
            if !keys.contains_key(id) {
                let key = wrapped.key(&active.handing(), &handed(active.id(), id)).map(MasterKey::of);
                let key = key.filter(|key| key.id() == id).ok_or_else(|| damaged(&format!("master key {id}")))?;
                keys.insert(id.clone(), Arc::new(key));
            }
        }
        Ok(Self { active: ring.active.clone(), keys })
    }
}

#[derive(Debug)]
pub(crate) struct Masters {
    store: Store,
    given: String,
    known: RwLock<Known>,
}

impl Masters {
    /// Proves that `master` is the key of this database, or makes it that of one without any.
    pub(crate) async fn open(store: &Store, master: &MasterKey) -> Result<Self, VaultError> {
        let keys = HashMap::from([(master.id().to_owned(), Arc::new(master.clone()))]);
        let ring = match store.register(KIND, RING).await? {
            Some(register) => parse(&register)?,
            None => begin(store, master).await?,
        };
        let known = RwLock::new(Known::learn(&ring, keys, master.id())?);
        Ok(Self { store: store.clone(), given: master.id().to_owned(), known })
    }

    pub(crate) fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The register as it is now, its revision, and all that it opens; remembered.
    pub(crate) async fn reload(&self) -> Result<(Ring, u64, Known), VaultError> {
        let register = self.store.register(KIND, RING).await?.ok_or_else(|| damaged("the register of master keys"))?;
        let ring = parse(&register)?;
        let known = Known::learn(&ring, self.known().keys, &self.given)?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known.clone();
        Ok((ring, register.revision, known))
    }

    /// Says whether the ring was still the one of that revision.
    pub(crate) async fn replace(&self, ring: &Ring, revision: u64) -> Result<bool, VaultError> {
        Ok(self.store.set_register(KIND, &ring.register(revision), None).await?)
    }
}

async fn begin(store: &Store, master: &MasterKey) -> Result<Ring, VaultError> {
    for kind in Kind::ALL {
        if !store.registers(kind.register(), "", 1).await?.is_empty() {
            // Beginning anew would leave what is there unreadable for ever.
            return Err(damaged("the register of master keys, though there are keys under one,"));
        }
    }
    let ring = Ring::first(master)?;
    if store.set_register(KIND, &ring.register(0), None).await? {
        return Ok(ring);
    }
    // Another node began at the same time, perhaps with another key.
    let register = store.register(KIND, RING).await?.ok_or_else(|| damaged("the register of master keys"))?;
    parse(&register)
}

fn parse(register: &Register) -> Result<Ring, VaultError> {
    serde_json::from_str(&register.value).map_err(|_| damaged("the register of master keys"))
}

fn damaged(what: &str) -> VaultError {
    VaultError::Damaged(format!("{what} is missing or damaged; restore the registers from a backup"))
}
