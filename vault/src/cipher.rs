//! The one cipher of the house: AES-256-GCM under random nonces, with all that a box belongs to as associated data.

use std::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{VaultError, random};

pub(crate) const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
/// What a box is longer than its content.
pub(crate) const TAG_BYTES: usize = 16;

/// 256 bits that are wiped when dropped and never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Key([u8; KEY_BYTES]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What was sealed, in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Boxed {
    pub(crate) nonce: String,
    pub(crate) sealed: String,
}

impl Key {
    pub(crate) fn draw() -> Result<Self, VaultError> {
        let mut key = Self([0; KEY_BYTES]);
        random::fill(&mut key.0)?;
        Ok(key)
    }

    pub(crate) fn of(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    pub(crate) fn seal(&self, plain: &[u8], bound: &Bound) -> Result<Boxed, VaultError> {
        self.seal_with(random::bytes()?, plain, bound)
    }

    fn seal_with(&self, nonce: [u8; NONCE_BYTES], plain: &[u8], bound: &Bound) -> Result<Boxed, VaultError> {
        let payload = Payload { msg: plain, aad: &bound.0 };
        let sealed = self
            .cipher()
            .encrypt(&nonce.into(), payload)
            .map_err(|_| VaultError::OutOfBounds("what is to be sealed is too long for the cipher".to_owned()))?;
        Ok(Boxed { nonce: URL_SAFE_NO_PAD.encode(nonce), sealed: URL_SAFE_NO_PAD.encode(sealed) })
    }

    /// None: not under this key, not bound to this, or changed since.
    pub(crate) fn open(&self, nonce: &str, sealed: &str, bound: &Bound) -> Option<Zeroizing<Vec<u8>>> {
        let nonce: [u8; NONCE_BYTES] = URL_SAFE_NO_PAD.decode(nonce).ok()?.try_into().ok()?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let payload = Payload { msg: &sealed, aad: &bound.0 };
        self.cipher().decrypt(&nonce.into(), payload).ok().map(Zeroizing::new)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.0.into())
    }
}

/// What a box belongs to, so that it opens nowhere else. Each part with its length, so that no two lists are alike.
#[derive(Debug)]
pub(crate) struct Bound(Vec<u8>);

impl Bound {
    pub(crate) fn to(parts: &[&str]) -> Self {
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// Test case 16 of `McGrew` and Viega, "The Galois/Counter Mode of Operation".
    #[test]
    fn it_is_the_cipher_that_others_call_by_this_name() {
        let key = unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let nonce = unhex("cafebabefacedbaddecaf888");
        let plain = unhex(concat!(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        ));
        let bound = Bound(unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"));
        let expected = unhex(concat!(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa",
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b"
        ));
        let key = Key::of(key.try_into().unwrap());
        let boxed = key.seal_with(nonce.try_into().unwrap(), &plain, &bound).unwrap();
        assert_eq!(boxed.sealed, URL_SAFE_NO_PAD.encode(expected));
        assert_eq!(key.open(&boxed.nonce, &boxed.sealed, &bound).unwrap().as_slice(), plain);
    }

    #[test]
    fn lists_of_parts_are_told_apart() {
        assert_ne!(Bound::to(&["a", "bc"]).0, Bound::to(&["ab", "c"]).0);
        assert_ne!(Bound::to(&["a"]).0, Bound::to(&["a", ""]).0);
    }

    #[test]
    fn a_key_is_never_printed() {
        assert_eq!(format!("{:?}", Key::of([7; 32])), "Key(…)");
    }
}
