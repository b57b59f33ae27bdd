//! Signed tokens: JWTs under Ed25519 keys that follow each other, so that whoever verifies them never meets a stranger.
//!
//! What a token says about its own key is not believed: the key is found by its id among ours, has one algorithm, and
//! nothing is ever fetched.

mod keys;
mod provider;
mod verdict;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use storage::registers::Register;

use crate::kind::Kind;
use crate::shelf::Keys;
use crate::{REMEMBERED, Vault, VaultError, random};
use keys::Lives;
pub use keys::{ACTIVE_FOR, PENDING_FOR, PublicKey, RETIRING_FOR, State};
pub use verdict::{Expected, LEEWAY_SECONDS, Refused, TOKEN_BYTES, VerifyError};

const KIND: &str = "vault_signing_keys";
const KEY: &str = "jwt";
const KID_BYTES: usize = 12;
/// How often a change is tried again because another node changed the keys first.
const ATTEMPTS: u32 = 20;
/// Seconds that a token may live.
pub const LONGEST: i64 = 3_600;
/// How soon a key that nobody knows may make us read again: strangers bring as many as they like.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// One per process.
#[derive(Debug, Clone)]
pub struct Signing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    vault: Vault,
    remembered: Mutex<Option<Remembered>>,
}

#[derive(Debug, Clone)]
struct Remembered {
    revision: u64,
    read_at: Instant,
    lives: Arc<Lives>,
}

impl Signing {
    /// Draws the first key where there is none.
    pub async fn open(vault: &Vault, now: Timestamp) -> Result<Self, VaultError> {
        provider::install();
        let signing = Self(Arc::new(Inner { vault: vault.clone(), remembered: Mutex::new(None) }));
        signing.advance(now).await?;
        Ok(signing)
    }

    /// What is due by now: the next key published, taken into use, the last one removed. To be called from time to time
    /// by any node, an hour apart at most; says whether anything changed.
    pub async fn advance(&self, now: Timestamp) -> Result<bool, VaultError> {
        self.change(now, false, None).await
    }

    /// Begins a rotation before its time: publishes the next key, which `advance` takes into use when it is known.
    pub async fn rotate(&self, now: Timestamp) -> Result<bool, VaultError> {
        self.change(now, true, None).await
    }

    /// Removes a key that somebody else may have. What it signed is refused, here at once and on other nodes within
    /// [`REMEMBERED`]; if it was in use, another one takes over at once.
    pub async fn revoke(&self, kid: &str, now: Timestamp) -> Result<bool, VaultError> {
        self.change(now, false, Some(kid)).await
    }

    /// A JWT of these claims under the active key. `typ` says what it is for, and is checked when it is verified; `iat`
    /// and `exp` are claims that must be there, an hour apart at most.
    pub async fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, VaultError> {
        let claims = serde_json::to_value(claims).map_err(|error| VaultError::OutOfBounds(error.to_string()))?;
        let lives_for = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp.saturating_sub(iat));
        if !lives_for.is_some_and(|seconds| (1..=LONGEST).contains(&seconds)) {
            return Err(VaultError::OutOfBounds(format!("a token has iat and exp, 1 to {LONGEST} seconds apart")));
        }
        let mut lives = self.lives(REMEMBERED).await?;
        for _ in 0..ATTEMPTS {
            let active = lives.in_state(State::Active).ok_or_else(damaged)?;
            let wanted = BTreeMap::from([(&*active.kid, 1)]);
            let found = self.0.vault.keyring().of(Kind::Signing, &wanted).await?.remove(&active.kid);
            if let Some(Keys::Kept(keys)) = found.as_deref() {
                let seed = EncodingKey::from_ed_der(keys.get(&1).ok_or_else(damaged)?.bytes());
                let header = Header {
                    typ: Some(typ.to_owned()),
                    kid: Some(active.kid.clone()),
                    ..Header::new(Algorithm::EdDSA)
                };
                return jsonwebtoken::encode(&header, &claims, &seed)
                    .map_err(|error| VaultError::OutOfBounds(error.to_string()));
            }
            // Retired on another node since we read.
            lives = self.lives(Duration::ZERO).await?;
        }
        Err(damaged())
    }

    /// The claims of a token that is ours, for whom it is expected to be, and good at `now`.
    pub async fn verify<C: DeserializeOwned>(
        &self,
        token: &str,
        expected: &Expected<'_>,
        now: Timestamp,
    ) -> Result<C, VerifyError> {
        let kid = verdict::kid(token, expected)?;
        let mut lives = self.lives(REMEMBERED).await?;
        if !lives.keys.iter().any(|key| key.kid == kid) {
            lives = self.lives(ASK_AGAIN).await?;
        }
        let key = lives.keys.iter().find(|key| key.kid == kid).ok_or(Refused::UnknownKey)?;
        let x = URL_SAFE_NO_PAD.decode(&key.x).map_err(|_| damaged())?;
        Ok(verdict::claims(token, &DecodingKey::from_ed_der(&x), expected, now)?)
    }

    /// The public keys as `/.well-known/jwks.json` publishes them: those in use, those that will be, and those that were.
    pub async fn jwks(&self) -> Result<Value, VaultError> {
        let lives = self.lives(REMEMBERED).await?;
        let keys = lives.keys.iter().map(
            |key| json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.kid, "x": key.x }),
        );
        Ok(json!({ "keys": keys.collect::<Vec<_>>() }))
    }

    /// The keys and their states, for operators.
    pub async fn keys(&self) -> Result<Vec<PublicKey>, VaultError> {
        Ok(self.lives(Duration::ZERO).await?.keys.clone())
    }

    async fn change(&self, now: Timestamp, rotate: bool, revoked: Option<&str>) -> Result<bool, VaultError> {
        for _ in 0..ATTEMPTS {
            let began = Instant::now();
            let (revision, before) = self.read().await?;
            let mut after = before.clone();
            after.keys.retain(|key| Some(&*key.kid) != revoked);
            after.age(now);
            if let Some(state) = after.wants(now, rotate) {
                let (kid, x) = self.draw().await?;
                after.keys.push(PublicKey { kid, state, x, since: now });
            }
            let value = json!(after).to_string();
            let register = Register { key: KEY.to_owned(), value, revision };
            if after == before {
                self.remember(revision, began, before);
                return Ok(false);
            }
            if self.0.vault.store().set_register(KIND, &register, None).await? {
                let used = |key: &&PublicKey| after.keys.iter().any(|k| k.kid == key.kid && k.state != State::Retiring);
                for key in before.keys.iter().filter(|key| !used(key)) {
                    self.0.vault.keyring().destroy(Kind::Signing, &key.kid).await?;
                }
                self.remember(revision + 1, began, after);
                return Ok(true);
            }
            for key in after.keys.iter().filter(|key| !before.keys.iter().any(|k| k.kid == key.kid)) {
                // Drawn for nothing: another node was faster.
                self.0.vault.keyring().destroy(Kind::Signing, &key.kid).await?;
            }
        }
        Err(VaultError::Contended("the signing keys".to_owned()))
    }

    async fn draw(&self) -> Result<(String, String), VaultError> {
        let kid = URL_SAFE_NO_PAD.encode(random::bytes::<KID_BYTES>()?);
        let (_, seed) = self.0.vault.keyring().newest_or_first(Kind::Signing, &kid).await?;
        let public = SigningKey::from_bytes(seed.bytes()).verifying_key();
        Ok((kid, URL_SAFE_NO_PAD.encode(public.as_bytes())))
    }

    /// As they were at most `age` ago.
    async fn lives(&self, age: Duration) -> Result<Arc<Lives>, VaultError> {
        let remembered = self.0.remembered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(remembered) = remembered.filter(|remembered| remembered.read_at.elapsed() < age) {
            return Ok(remembered.lives);
        }
        let began = Instant::now();
        let (revision, lives) = self.read().await?;
        Ok(self.remember(revision, began, lives))
    }

    async fn read(&self) -> Result<(u64, Lives), VaultError> {
        match self.0.vault.store().register(KIND, KEY).await? {
            Some(register) => Ok((register.revision, serde_json::from_str(&register.value).map_err(|_| damaged())?)),
            None => Ok((0, Lives::default())),
        }
    }

    fn remember(&self, revision: u64, read_at: Instant, lives: Lives) -> Arc<Lives> {
        let lives = Arc::new(lives);
        let mut remembered = self.0.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        // A slow reader does not bring back a key that was revoked since he began; a database that was restored does.
        let newer =
            remembered.as_ref().is_none_or(|known| known.revision <= revision || known.read_at.elapsed() > REMEMBERED);
        if newer {
            *remembered = Some(Remembered { revision, read_at, lives: lives.clone() });
        }
        lives
    }
}

fn damaged() -> VaultError {
    VaultError::Damaged("the signing keys are missing or damaged; restore the registers from a backup".to_owned())
}
