//! The master key: 32 bytes that never stand in the database, under which every other key is wrapped.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::VaultError;
use crate::cipher::{KEY_BYTES, Key};
use crate::kind::Kind;

/// Bytes of what tells master keys apart, which is no part of them.
const ID_BYTES: usize = 8;

#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    key: Key,
    id: String,
}

/// By its id, which says nothing about it.
impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

impl MasterKey {
    pub fn draw() -> Result<Self, VaultError> {
        Ok(Self::of(Key::draw()?))
    }

    /// As `PAGEFREE_MASTER_KEY` and the key file hold it: 32 bytes in base64, with or without padding, of either alphabet.
    pub fn from_base64(text: &str) -> Result<Self, VaultError> {
        let text = Zeroizing::new(text.trim().replace('-', "+").replace('_', "/"));
        let bytes = Zeroizing::new(STANDARD_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| refusal("is not"))?);
        let Ok(bytes) = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()) else {
            return Err(refusal(&format!("has {} bytes and is not", bytes.len())));
        };
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(refusal("is one byte repeated, and not"));
        }
        Ok(Self::of(Key::of(bytes)))
    }

    /// What a key file holds. Handle it as the secret that it is.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.key.bytes()))
    }

    /// Tells master keys apart, and may be shown to anybody.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn of(key: Key) -> Self {
        let mut id = [0; ID_BYTES];
        derive(&key, b"pagefree master id v1", &mut id);
        Self { key, id: URL_SAFE_NO_PAD.encode(id) }
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        self.key.bytes()
    }

    /// What keys of a kind are wrapped by.
    pub(crate) fn wrapping(&self, kind: Kind) -> Key {
        self.derived(&format!("pagefree wrap v1 {}", kind.name()))
    }

    /// What master keys are wrapped by.
    pub(crate) fn handing(&self) -> Key {
        self.derived("pagefree master hand v1")
    }

    /// What keys of backups are wrapped by.
    pub(crate) fn wrapping_backups(&self) -> Key {
        self.derived("pagefree wrap v1 backup")
    }

    fn derived(&self, what: &str) -> Key {
        let mut bytes = [0; KEY_BYTES];
        derive(&self.key, what.as_bytes(), &mut bytes);
        Key::of(bytes)
    }
}

fn derive(key: &Key, what: &[u8], into: &mut [u8]) {
    Hkdf::<Sha256>::new(None, key.bytes()).expand(what, into).expect("HKDF gives up to 8160 bytes");
}

fn refusal(what: &str) -> VaultError {
    VaultError::Master(format!(
        "the master key {what} 32 random bytes in base64 (44 characters); `openssl rand -base64 32` makes one"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> MasterKey {
        MasterKey::of(Key::of(std::array::from_fn(|n| u8::try_from(n).unwrap())))
    }

    #[test]
    fn it_is_read_however_base64_is_written() {
        let key = MasterKey::of(Key::of(std::array::from_fn(|n| if n == 0 { 1 } else { 0xfb })));
        let text = key.to_base64();
        assert!(text.contains('+') && text.ends_with('='), "this one shows the alphabets apart");
        for form in [text.to_string(), text.trim_end_matches('=').to_owned(), text.replace('+', "-").replace('/', "_")]
        {
            assert_eq!(MasterKey::from_base64(&format!(" {form}\n")).unwrap(), key);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        for (text, why) in [
            ("", "has 0 bytes"),
            ("c2hvcnQ=", "has 5 bytes"),
            ("%%%", "is not 32"),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "repeated"),
        ] {
            let refusal = MasterKey::from_base64(text).unwrap_err().to_string();
            assert!(refusal.contains(why) && refusal.contains("openssl rand -base64 32"), "{refusal}");
            assert!(text.is_empty() || !refusal.contains(text));
        }
    }

    #[test]
    fn it_is_printed_by_its_id() {
        let key = key();
        assert_eq!(format!("{key:?}"), format!("MasterKey({})", key.id()));
        assert!(!format!("{key:?}").contains(&*key.to_base64()));
    }

    /// RFC 5869, test case 3: no salt, no info.
    #[test]
    fn keys_are_derived_as_the_standard_says() {
        let mut okm = [0; 8];
        Hkdf::<Sha256>::new(None, &[0x0b; 22]).expand(b"", &mut okm).unwrap();
        assert_eq!(okm, [0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f]);
    }

    /// What was derived once is stored for ever: changing it makes every key unreadable.
    #[test]
    fn what_is_derived_does_not_change() {
        let key = key();
        let first = |key: Key| URL_SAFE_NO_PAD.encode(&key.bytes()[..6]);
        let derived = Kind::ALL.map(|kind| first(key.wrapping(kind)));
        // As an HMAC of Python's standard library makes them.
        assert_eq!(key.id(), "KVUNxQ_5cio");
        assert_eq!(first(key.handing()), "slLuq-tJ");
        assert_eq!(derived, ["mBSu5Mqd", "dVCgQIsz", "wYw3cVoU", "ptI6WzUI"]);
    }
}
