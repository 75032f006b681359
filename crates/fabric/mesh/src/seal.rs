//! Sealing with what only the cluster's nodes know.
//!
//! ```text
//!   cluster.secret ─HKDF-SHA-256(salt, purpose)─► key ─ChaCha20-Poly1305(nonce, bound to)─► octets and tag
//! ```
//!
//! Sources: RFC 5869 (HKDF), RFC 8439 (the cipher).

use crate::octets;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use serde::{Deserialize, Serialize};

/// The use of the key of the authority's key, so that no other use of the secret gives the same one.
const AUTHORITY: &[u8] = b"purlin mesh: the key of the cluster's authority, 1";

/// Octets that only a holder of the secret can read or make; digits are hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    salt: String,
    nonce: String,
    octets: String,
}

/// Seals `plain`, bound to `with`: opened beside anything else it does not open.
pub(crate) fn seal(secret: &[u8], with: &[u8], plain: &[u8]) -> Sealed {
    let salt = octets::random::<32>();
    let sealed = SealKey::derive(secret, &salt, AUTHORITY).seal(with, plain);
    let (nonce, octets) = sealed.split_at(NONCE_LEN);
    Sealed {
        salt: octets::hex(&salt),
        nonce: octets::hex(nonce),
        octets: octets::hex(octets),
    }
}

/// What was sealed; `None` with another secret, beside something else, or when it was changed.
pub(crate) fn open(secret: &[u8], with: &[u8], sealed: &Sealed) -> Option<Vec<u8>> {
    let salt = octets::unhex(&sealed.salt)?;
    let mut whole = octets::unhex(&sealed.nonce).filter(|nonce| nonce.len() == NONCE_LEN)?;
    whole.extend(octets::unhex(&sealed.octets)?);
    SealKey::derive(secret, &salt, AUTHORITY).open(with, &whole)
}

/// A key for one use of the secret.
pub(crate) struct SealKey(LessSafeKey);

impl SealKey {
    /// The same for everybody with the same secret, salt and purpose, and for nobody else.
    pub(crate) fn derive(secret: &[u8], salt: &[u8], purpose: &[u8]) -> Self {
        let (derived, purpose) = (Salt::new(HKDF_SHA256, salt).extract(secret), [purpose]);
        let okm = derived
            .expand(&purpose, &CHACHA20_POLY1305)
            .expect("one key is far below what HKDF gives");
        Self(LessSafeKey::new(UnboundKey::from(okm)))
    }

    /// A random nonce, then `plain` sealed, bound to `with`, and its tag.
    pub(crate) fn seal(&self, with: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce = octets::random::<NONCE_LEN>();
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(with), &mut sealed)
            .expect("what is sealed is far below what the cipher takes");
        sealed.splice(0..0, nonce);
        sealed
    }

    /// What [`Self::seal`] was given; `None` under another key, beside something else, or when it was changed.
    pub(crate) fn open(&self, with: &[u8], whole: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = whole.split_first_chunk::<NONCE_LEN>()?;
        let mut plain = sealed.to_vec();
        let opened = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(with), &mut plain);
        let length = opened.ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_secret_beside_the_same_thing_opens_it() {
        let sealed = seal(b"a secret of sixteen", b"ca", b"key");
        assert_eq!(
            open(b"a secret of sixteen", b"ca", &sealed),
            Some(b"key".to_vec())
        );
        assert_eq!(open(b"a secret of seventeen", b"ca", &sealed), None);
        assert_eq!(open(b"a secret of sixteen", b"another", &sealed), None);
        let mut changed = sealed;
        changed
            .octets
            .replace_range(0..1, if changed.octets.starts_with('0') { "1" } else { "0" });
        assert_eq!(open(b"a secret of sixteen", b"ca", &changed), None);
    }

    #[test]
    fn sealed_twice_it_looks_different() {
        assert_ne!(seal(b"s", b"c", b"k"), seal(b"s", b"c", b"k"));
    }
}
