//! Hashing passwords, on threads that may block and only some at once: each takes 19 MiB and a core for a while.

use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::PasswordError;
use super::policy::{self, Weakness};
use crate::{VaultError, random};

/// Passwords hashed at once at most, if there are as many cores.
const AT_ONCE: usize = 4;
/// Callers that wait for a turn at most.
const WAITING: usize = 100;
const SALT_BYTES: usize = 16;

/// What hashing costs, and so what each guess costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

/// OWASP's recommendation for argon2id.
impl Default for Cost {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Hasher {
    cost: Cost,
    turns: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Hasher {
    pub(crate) fn new(cost: Cost) -> Self {
        let at_once = available_parallelism().map_or(1, usize::from).min(AT_ONCE);
        Self { cost, turns: Arc::new(Semaphore::new(at_once)), queue: Arc::new(Semaphore::new(at_once + WAITING)) }
    }

    /// The password as it is hashed, if it is good enough. Looking for it in lists takes time too, so it waits for a turn.
    pub(crate) async fn checked(&self, password: &str, about: &[&str]) -> Result<Zeroizing<String>, PasswordError> {
        let password = Zeroizing::new(password.to_owned());
        let about: Vec<String> = about.iter().map(|text| (*text).to_owned()).collect();
        self.in_turn(move || {
            let about: Vec<&str> = about.iter().map(String::as_str).collect();
            let weaknesses: Vec<Weakness> = policy::check(&password, &about);
            if weaknesses.is_empty() { Ok(policy::normalised(&password)) } else { Err(PasswordError::Weak(weaknesses)) }
        })
        .await?
    }

    /// As a PHC string.
    pub(crate) async fn hash(&self, password: Zeroizing<String>) -> Result<Zeroizing<String>, PasswordError> {
        let salt: [u8; SALT_BYTES] = random::bytes()?;
        let argon2 = self.argon2()?;
        self.in_turn(move || {
            let hash = argon2.hash_password_with_salt(password.as_bytes(), &salt).map_err(|error| failed(&error))?;
            Ok(Zeroizing::new(hash.to_string()))
        })
        .await?
    }

    /// At the cost that stands in `hash`. What is too long for any password is as wrong as another one, and takes as long.
    pub(crate) async fn verify(&self, password: &str, hash: &str) -> Result<bool, PasswordError> {
        let password = policy::normalised(password);
        let hash = Zeroizing::new(hash.to_owned());
        self.in_turn(move || {
            let hash = PasswordHash::new(&hash).map_err(|error| failed(&error))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await?
    }

    pub(crate) fn needs_rehash(&self, hash: &str) -> bool {
        let Ok(hash) = PasswordHash::new(hash) else { return true };
        let Ok(kept) = Params::try_from(&hash) else { return true };
        let of_now =
            hash.algorithm.as_str() == Algorithm::Argon2id.as_str() && hash.version == Some(Version::V0x13.into());
        !of_now
            || kept.m_cost() < self.cost.memory_kib
            || kept.t_cost() < self.cost.passes
            || kept.p_cost() != self.cost.lanes
    }

    fn argon2(&self) -> Result<Argon2<'static>, PasswordError> {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let params = Params::new(memory_kib, passes, lanes, None).map_err(|error| failed(&error))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
        let queued = self.queue.clone().try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Held until the work is done: a caller who goes away does not make room for another.
            drop((turn, queued));
            done
        });
        done.await.map_err(|_| PasswordError::Busy)
    }
}

fn failed(error: &dyn std::fmt::Display) -> PasswordError {
    PasswordError::Vault(VaultError::Damaged(format!("hashing a password failed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the tests of the reference implementation.
    #[test]
    fn it_is_the_function_that_others_call_by_this_name() {
        let kept = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let hash = PasswordHash::new(kept).unwrap();
        assert!(Argon2::default().verify_password(b"password", &hash).is_ok());
        assert!(Argon2::default().verify_password(b"passworD", &hash).is_err());
    }

    #[test]
    fn what_is_cheaper_than_now_is_hashed_anew() {
        let hasher = Hasher::new(Cost { memory_kib: 64, passes: 2, lanes: 1 });
        let kept = |kind: &str, params: &str| {
            format!("${kind}$v=19${params}$c29tZXNhbHRzb21lc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
        };
        for (kind, params, anew) in [
            ("argon2id", "m=64,t=2,p=1", false),
            ("argon2id", "m=65536,t=3,p=1", false),
            ("argon2id", "m=32,t=2,p=1", true),
            ("argon2id", "m=64,t=1,p=1", true),
            ("argon2i", "m=64,t=2,p=1", true),
        ] {
            assert_eq!(hasher.needs_rehash(&kept(kind, params)), anew, "{kind} {params}");
        }
        assert!(hasher.needs_rehash("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"));
    }

    #[tokio::test]
    async fn only_some_wait_and_the_others_are_told() {
        let hasher = Hasher::new(Cost { memory_kib: 8, passes: 1, lanes: 1 });
        let all: Vec<_> = (0..500).map(|_| hasher.hash(Zeroizing::new("x".to_owned()))).collect();
        let done = futures_util::future::join_all(all).await;
        let busy = done.iter().filter(|done| matches!(done, Err(PasswordError::Busy))).count();
        let through = done.iter().filter(|done| done.is_ok()).count();
        assert_eq!(busy + through, 500);
        assert!(through >= WAITING && busy > 0, "{through} hashed, {busy} told to come again");
        assert!(hasher.hash(Zeroizing::new("x".to_owned())).await.is_ok(), "afterwards there is room");
    }
}
