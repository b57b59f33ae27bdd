//! The blind index: finds again what is sealed, an e-mail address say, by a hash that nobody can make without the key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::Vault;
use crate::cipher::Bound;

impl Vault {
    /// The index of a text among its like: equal texts of one `what` have one index. Whoever calls it settles before what
    /// is equal (case, form).
    pub fn blind(&self, what: &str, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.index_key().bytes()).expect("HMAC takes a key of any length");
        mac.update(Bound::to(&["pagefree blind v1", what, text]).bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn it_is_the_code_that_others_call_by_this_name() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        assert_eq!(mac.finalize().into_bytes()[..8], [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e]);
    }
}
