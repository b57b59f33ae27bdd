//! API tokens: shown once, kept as a hash, looked up by it. They are registers, not events: what matters of them to
//! history, their id, stands in the metadata of everything that they did.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::ActorId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use storage::registers::Register;
use storage::{StorageError, Store};

use crate::{Actor, ActorKind, Grant, Role, ids};

const KIND: &str = "api_token";
/// What a token begins with, so that secret scanners know one when they see it.
const PREFIX: &str = "pf_";
/// Tokens read in one go when platform admins are counted.
const PAGE: usize = 200;

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub id: String,
    /// Given by whoever made it.
    pub name: String,
    pub role: Role,
}

impl Token {
    pub fn actor(&self) -> Actor {
        let grants = vec![Grant { role: self.role, team: None }];
        Actor { kind: ActorKind::ApiToken, id: ActorId::new(&*self.id), grants }
    }
}

/// Makes a token and returns its secret, which nothing can show again.
pub async fn create(store: &Store, name: &str, role: Role) -> Result<String, StorageError> {
    let mut random = [0_u8; 32];
    #[expect(clippy::disallowed_methods, reason = "the one place where token secrets are drawn")]
    getrandom::fill(&mut random).map_err(|e| StorageError::Unavailable(format!("no randomness: {e}")))?;
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let token = Token { id: ids::fresh().to_string(), name: name.to_owned(), role };
    let value = serde_json::json!(token).to_string();
    store.set_register(KIND, &Register { key: hash(&secret), value, revision: 0 }, None).await?;
    Ok(secret)
}

/// Whose token this is, if it is one.
pub async fn look_up(store: &Store, secret: &str) -> Result<Option<Token>, StorageError> {
    // Found by the hash of what was sent: how long the search takes says nothing about any secret.
    match store.register(KIND, &hash(secret)).await? {
        Some(register) => parse(&register).map(Some),
        None => Ok(None),
    }
}

/// Whether any token was ever made.
pub async fn any(store: &Store) -> Result<bool, StorageError> {
    Ok(!store.registers(KIND, "", 1).await?.is_empty())
}

pub(crate) async fn another_platform_admin(store: &Store, than: &ActorId) -> Result<bool, StorageError> {
    let mut after = String::new();
    loop {
        let page = store.registers(KIND, &after, PAGE).await?;
        for register in &page {
            let token = parse(register)?;
            if token.role == Role::PlatformAdmin && token.id != than.as_str() {
                return Ok(true);
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after.clone_from(&last.key),
            _ => return Ok(false),
        }
    }
}

fn parse(register: &Register) -> Result<Token, StorageError> {
    serde_json::from_str(&register.value)
        .map_err(|e| StorageError::Incompatible(format!("the register of a token does not read: {e}")))
}

fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}
