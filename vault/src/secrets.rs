//! Opaque secrets: tokens, sessions, links and codes, which mean something only because their hash is kept somewhere.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{VaultError, random};

/// Bytes that are drawn for a secret: more than anybody can guess, so that a plain hash of it suffices.
const SECRET_BYTES: usize = 32;
/// Symbols of a code: no I, L, O and U, which are read as others or as words.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Symbols of a code, 40 bits. That is few: whoever takes a code limits how long it lives, and counts guesses at it.
const CODE_SYMBOLS: usize = 8;

/// What a secret is for. It begins with a mark, so that secret scanners and people know one when they see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    ApiToken,
    /// Exchanged by partners for short tokens.
    Partner,
    Session,
    /// Keeps a session going; replaced with each use.
    Refresh,
    /// Good for one use: a magic link, an invitation, a reset of a password.
    Link,
}

impl Purpose {
    pub fn mark(self) -> &'static str {
        match self {
            Self::ApiToken => "pf_",
            Self::Partner => "pfp_",
            Self::Session => "pfs_",
            Self::Refresh => "pfr_",
            Self::Link => "pfl_",
        }
    }
}

/// Shown once, wiped when dropped, never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn draw(purpose: Purpose) -> Result<Self, VaultError> {
        let bytes: Zeroizing<[u8; SECRET_BYTES]> = Zeroizing::new(random::bytes()?);
        let mut text = Zeroizing::new(purpose.mark().to_owned());
        text.reserve_exact(SECRET_BYTES.div_ceil(3) * 4);
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        Ok(Self(text))
    }

    /// A code that a person reads on one screen and types on another: `XXXX-XXXX`.
    pub fn draw_code() -> Result<Self, VaultError> {
        let bytes: Zeroizing<[u8; CODE_SYMBOLS]> = Zeroizing::new(random::bytes()?);
        let mut text = Zeroizing::new(String::with_capacity(CODE_SYMBOLS + 1));
        for (n, byte) in bytes.iter().enumerate() {
            if n == CODE_SYMBOLS / 2 {
                text.push('-');
            }
            text.push(char::from(SYMBOLS[usize::from(byte % 32)]));
        }
        Ok(Self(text))
    }

    /// To be shown to whoever it is for, and to nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> String {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The hash under which a secret is kept. Looking it up by this says nothing, by the time it takes, about any secret.
pub fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

/// Whether a typed code, as people type them, is one that was drawn: without regard to case, spaces and hyphens, and with
/// the letters that were left out read as what they look like.
pub fn plain_code(typed: &str) -> Option<String> {
    let symbols =
        typed.chars().filter(|symbol| !matches!(symbol, ' ' | '-')).map(|symbol| match symbol.to_ascii_uppercase() {
            'I' | 'L' => '1',
            'O' => '0',
            symbol => symbol,
        });
    let mut code: String = symbols.take(CODE_SYMBOLS + 1).collect();
    if code.len() != CODE_SYMBOLS || !code.bytes().all(|symbol| SYMBOLS.contains(&symbol)) {
        return None;
    }
    code.insert(CODE_SYMBOLS / 2, '-');
    Some(code)
}

/// Compares in a time that does not depend on where the two differ.
pub fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn secrets_are_long_marked_and_never_the_same() {
        let purposes = [Purpose::ApiToken, Purpose::Partner, Purpose::Session, Purpose::Refresh, Purpose::Link];
        let marks: BTreeSet<&str> = purposes.iter().map(|purpose| purpose.mark()).collect();
        assert_eq!(marks.len(), purposes.len());
        for purpose in purposes {
            let drawn: BTreeSet<String> =
                (0..100).map(|_| Secret::draw(purpose).unwrap().reveal().to_owned()).collect();
            assert_eq!(drawn.len(), 100);
            for secret in drawn {
                let random = secret.strip_prefix(purpose.mark()).unwrap();
                assert_eq!(URL_SAFE_NO_PAD.decode(random).unwrap().len(), SECRET_BYTES);
            }
        }
    }

    #[test]
    fn a_secret_is_kept_as_its_hash_and_never_printed() {
        let secret = Secret::draw(Purpose::ApiToken).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.hash(), hash(secret.reveal()));
        // FIPS 180-2, "abc".
        assert_eq!(hash("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        let mut symbols = BTreeSet::new();
        for _ in 0..200 {
            let code = Secret::draw_code().unwrap();
            symbols.extend(code.reveal().chars().filter(|symbol| *symbol != '-'));
            for typed in [code.reveal().to_owned(), code.reveal().to_lowercase(), code.reveal().replace('-', "  ")] {
                assert_eq!(plain_code(&typed).as_deref(), Some(code.reveal()));
            }
        }
        assert_eq!(symbols.len(), 32, "1600 draws leave none of them out");
        assert_eq!(plain_code("oOiL-0011").as_deref(), Some("0011-0011"));
        for nonsense in ["", "1234-567", "1234-56789", "1234-567U", "1234-567é", "１234-5678"] {
            assert_eq!(plain_code(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn equal_is_equal() {
        assert!(same("abc", "abc") && same("", ""));
        assert!(!same("abc", "abd") && !same("abc", "ab") && !same("", "a"));
    }
}
