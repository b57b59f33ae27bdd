//! Whose address is whose: kept under a blind hash, so that an address is found by whoever types it and read by nobody,
//! and never used twice.

use std::fmt;
use std::str::FromStr;

use domain::user::{Standing, User};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use storage::registers::Register;
use unicode_normalization::UnicodeNormalization;
use vault::Vault;

use crate::{Bus, CommandError};

const KIND: &str = "address";
const CHARACTERS: usize = 254;
const LOCAL_CHARACTERS: usize = 64;
/// After which an address is free again that was reserved for somebody who never came: far longer than any append takes.
const ABANDONED: SignedDuration = SignedDuration::from_mins(10);

/// An e-mail address in the form in which it is compared. Says nothing of itself in a log line.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address of at most {CHARACTERS} characters")]
pub struct NoAddress;

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

impl Address {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let address = text.trim().nfkc().collect::<String>().to_lowercase();
        let (local, domain) = address.rsplit_once('@').ok_or(NoAddress)?;
        let sound = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '@' | '<' | '>' | ',' | ';' | '"');
        let host = |label: &str| {
            !label.is_empty() && !label.starts_with('-') && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let fits = address.len() <= CHARACTERS && (1..=LOCAL_CHARACTERS).contains(&local.len());
        if fits && local.chars().all(sound) && domain.split('.').all(host) { Ok(Self(address)) } else { Err(NoAddress) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    user: String,
    at: Timestamp,
}

/// What came of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    Now,
    /// It was his before.
    Already,
    /// It is somebody else's.
    Taken,
}

/// Reserves an address for `user`, before the append that makes it his.
pub async fn reserve(
    bus: &Bus,
    vault: &Vault,
    address: &Address,
    user: &str,
    at: Timestamp,
) -> Result<Reserved, CommandError> {
    let key = vault.blind(KIND, address.as_str());
    let value = serde_json::json!(Holder { user: user.to_owned(), at }).to_string();
    let new = Register { key: key.clone(), value, revision: 0 };
    // The second look is at whoever was faster in between.
    for _ in 0..2 {
        if bus.store().set_register(KIND, &new, None).await? {
            return Ok(Reserved::Now);
        }
        let Some(known) = bus.store().register(KIND, &key).await? else { continue };
        let holder = read(&known)?;
        if holder.user == user {
            return Ok(Reserved::Already);
        }
        let standing = bus.look::<User>(&holder.user).await?.map(|(account, ..)| account.standing);
        let free = match standing {
            // Whoever was erased holds nothing.
            Some(standing) => standing == Standing::Erased,
            None => at.duration_since(holder.at) >= ABANDONED,
        };
        if !free {
            return Ok(Reserved::Taken);
        }
        let taken_over = Register { revision: known.revision, ..new.clone() };
        if bus.store().set_register(KIND, &taken_over, None).await? {
            return Ok(Reserved::Now);
        }
    }
    Ok(Reserved::Taken)
}

/// Whose address it is.
pub async fn user_of(bus: &Bus, vault: &Vault, address: &Address) -> Result<Option<String>, CommandError> {
    let known = bus.store().register(KIND, &vault.blind(KIND, address.as_str())).await?;
    known.as_ref().map(|known| Ok(read(known)?.user)).transpose()
}

/// Gives an address back, if it is `user`'s.
pub async fn release(bus: &Bus, vault: &Vault, address: &Address, user: &str) -> Result<(), CommandError> {
    let Some(known) = bus.store().register(KIND, &vault.blind(KIND, address.as_str())).await? else { return Ok(()) };
    if read(&known)?.user == user {
        bus.store().remove_register(KIND, &known.key, known.revision).await?;
    }
    Ok(())
}

/// Gives back whatever address is `user`'s, for when nobody can read any more which one that is.
pub(super) async fn release_all(bus: &Bus, user: &str) -> Result<(), CommandError> {
    const PAGE: usize = 500;
    let mut after = String::new();
    loop {
        let page = bus.store().registers(KIND, &after, PAGE).await?;
        for known in &page {
            if read(known)?.user == user {
                bus.store().remove_register(KIND, &known.key, known.revision).await?;
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after.clone_from(&last.key),
            _ => return Ok(()),
        }
    }
}

fn read(register: &Register) -> Result<Holder, CommandError> {
    Ok(serde_json::from_str(&register.value).map_err(|error| {
        storage::StorageError::Incompatible(format!("the register of an address does not read: {error}"))
    })?)
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_are_compared_without_case_and_width() {
        let read = |text: &str| text.parse::<Address>().map(|address| address.0);
        assert_eq!(read(" Ana.Maria@Example.COM "), Ok("ana.maria@example.com".to_owned()));
        assert_eq!(read("ａna@example.com"), Ok("ana@example.com".to_owned()));
        assert_eq!(read("root@localhost"), Ok("root@localhost".to_owned()));
        for wrong in
            ["", "ana", "@x.y", "a@", "a b@x.y", "a@b@x.y", "a@x..y", "a@-x", "a\0@x.y", "<a@x.y>", "a@x.y,b@x.y"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(format!("{}@x.y", "a".repeat(65)).parse::<Address>().is_err());
    }
}
