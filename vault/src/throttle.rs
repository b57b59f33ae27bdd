//! The brake on guessing: each wrong guess makes the next one wait longer, by account and address, and by address.
//!
//! A guess is counted before it is looked at, so that a thousand at once are a thousand. Nobody is locked out for good: the
//! wait has an end, and who guesses from elsewhere does not delay the owner.

use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use storage::registers::Register;

use crate::{Vault, VaultError};

const KIND: &str = "throttle";
/// Wrong guesses of one account from one address that cost nothing.
const FREE_PER_ACCOUNT: u32 = 5;
/// Wrong guesses from one address that cost nothing: an office shares one.
const FREE_PER_ADDRESS: u32 = 50;
/// The longest wait for the next guess.
pub const LONGEST: Duration = Duration::from_mins(15);
/// After this without a guess everything is forgotten. It bounds how many are remembered, too.
const FORGOTTEN: Duration = Duration::from_hours(24);
/// How often a count is tried again because others counted at the same time. Who loses that often is guessing in parallel.
const ATTEMPTS: u32 = 10;

/// What is guessed at, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Guess<'a> {
    /// What kind of guess it is: each kind is counted by itself.
    pub what: &'a str,
    /// The account as it was named, whether there is one or not. Kept as a hash.
    pub account: &'a str,
    pub from: IpAddr,
}

/// Come again in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Duration);

/// A guess that may be looked at. It is counted as wrong until it is said to be right.
#[derive(Debug)]
#[must_use = "a right guess has to be taken back, or its owner waits"]
pub struct Admitted {
    account: String,
    address: String,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    guesses: u32,
    /// When the next one is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
}

/// Works over any number of nodes: what it counts are registers.
#[derive(Debug, Clone)]
pub struct Throttle {
    vault: Vault,
}

impl Throttle {
    pub fn new(vault: &Vault) -> Self {
        Self { vault: vault.clone() }
    }

    /// Counts a guess, and says whether it may be looked at. One that has to wait is not counted: asking does not make it
    /// longer.
    pub async fn admit(&self, guess: &Guess<'_>, now: Timestamp) -> Result<Result<Admitted, Wait>, VaultError> {
        let address = network(guess.from);
        let by_address = self.vault.blind("throttle address", &format!("{} {address}", guess.what));
        let by_account = self.vault.blind("throttle account", &format!("{} {address} {}", guess.what, guess.account));
        // The address first: one that has to wait makes no rows for accounts.
        if let Err(wait) = self.count(&by_address, FREE_PER_ADDRESS, now).await? {
            return Ok(Err(wait));
        }
        if let Err(wait) = self.count(&by_account, FREE_PER_ACCOUNT, now).await? {
            self.take_back(&by_address).await?;
            return Ok(Err(wait));
        }
        Ok(Ok(Admitted { account: by_account, address: by_address }))
    }

    /// The guess was right: the account starts anew, and the address has one wrong guess fewer.
    pub async fn succeeded(&self, admitted: Admitted) -> Result<(), VaultError> {
        for _ in 0..ATTEMPTS {
            let Some(there) = self.vault.store().register(KIND, &admitted.account).await? else { break };
            if self.vault.store().remove_register(KIND, &admitted.account, there.revision).await? {
                break;
            }
        }
        self.take_back(&admitted.address).await
    }

    async fn count(&self, key: &str, free: u32, now: Timestamp) -> Result<Result<(), Wait>, VaultError> {
        for _ in 0..ATTEMPTS {
            let (revision, mut count) = self.read(key).await?;
            if let Some(wait) = count.not_before.and_then(|until| until_then(now, until)) {
                return Ok(Err(wait));
            }
            count.guesses = count.guesses.saturating_add(1);
            count.not_before = wait_after(count.guesses, free).and_then(|wait| now.checked_add(wait).ok());
            if self.write(key, revision, count).await? {
                return Ok(Ok(()));
            }
        }
        Ok(Err(Wait(Duration::from_secs(1))))
    }

    /// What could not be taken back stays counted: too much is on the safe side.
    async fn take_back(&self, key: &str) -> Result<(), VaultError> {
        for _ in 0..ATTEMPTS {
            let (revision, mut count) = self.read(key).await?;
            if revision == 0 {
                return Ok(());
            }
            count.guesses = count.guesses.saturating_sub(1);
            count.not_before = None;
            if self.write(key, revision, count).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn read(&self, key: &str) -> Result<(u64, Count), VaultError> {
        match self.vault.store().register(KIND, key).await? {
            // One that does not read is begun anew: the brake must not be what keeps people out.
            Some(there) => Ok((there.revision, serde_json::from_str(&there.value).unwrap_or_default())),
            None => Ok((0, Count::default())),
        }
    }

    async fn write(&self, key: &str, revision: u64, count: Count) -> Result<bool, VaultError> {
        let register = Register { key: key.to_owned(), value: serde_json::json!(count).to_string(), revision };
        Ok(self.vault.store().set_register(KIND, &register, Some(FORGOTTEN)).await?)
    }
}

/// What one household or machine has: an address of IPv4, 64 bits of one of IPv6.
fn network(from: IpAddr) -> String {
    match from.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

/// One second, and twice as long each time.
fn wait_after(guesses: u32, free: u32) -> Option<Duration> {
    let beyond = guesses.checked_sub(free)?;
    let seconds = 1_u64.checked_shl(beyond).unwrap_or(u64::MAX);
    Some(Duration::from_secs(seconds.min(LONGEST.as_secs())))
}

/// A clock that was far ahead when it counted does not make anybody wait for longer than the longest wait.
fn until_then(now: Timestamp, until: Timestamp) -> Option<Wait> {
    let wait = until.duration_since(now);
    (wait > SignedDuration::ZERO).then(|| Wait(wait.unsigned_abs().min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_have_an_end() {
        let seconds = |guesses| wait_after(guesses, 5).map(|wait| wait.as_secs());
        assert_eq!(
            [0, 4, 5, 6, 7, 14, 15, 40, 70, u32::MAX].map(seconds),
            [None, None, Some(1), Some(2), Some(4), Some(512), Some(900), Some(900), Some(900), Some(900),]
        );
    }

    #[test]
    fn addresses_are_those_of_a_household() {
        let told = |text: &str| network(text.parse().unwrap());
        assert_eq!(told("192.0.2.7"), "192.0.2.7");
        assert_eq!(told("::ffff:192.0.2.7"), "192.0.2.7", "however it came in");
        assert_eq!(told("2001:db8:1:2:3:4:5:6"), told("2001:db8:1:2:ffff::1"));
        assert_ne!(told("2001:db8:1:2::1"), told("2001:db8:1:3::1"));
    }
}
