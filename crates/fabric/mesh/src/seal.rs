//! Sealing the authority's key with what only the cluster's nodes know.
//!
//! ```text
//!   cluster.secret ─HKDF-SHA-256(salt, purpose)─► key ─ChaCha20-Poly1305(nonce, bound to)─► octets and tag
//! ```
//!
//! Sources: RFC 5869 (HKDF), RFC 8439 (the cipher).

use crate::octets;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use serde::{Deserialize, Serialize};

/// What the key is for, so that no other use of the secret gives the same key.
const PURPOSE: &[u8] = b"purlin mesh: the key of the cluster's authority, 1";

/// Octets that only a holder of the secret can read or make; digits are hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    salt: String,
    nonce: String,
    octets: String,
}

/// Seals `plain`, bound to `with`: opened beside anything else it does not open.
pub(crate) fn seal(secret: &[u8], with: &[u8], plain: &[u8]) -> Sealed {
    let (salt, nonce) = (octets::random::<32>(), octets::random::<12>());
    let mut sealed = plain.to_vec();
    key(secret, &salt)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(with), &mut sealed)
        .expect("a key is far below what the cipher takes");
    Sealed {
        salt: octets::hex(&salt),
        nonce: octets::hex(&nonce),
        octets: octets::hex(&sealed),
    }
}

/// What was sealed; `None` with another secret, beside something else, or when it was changed.
pub(crate) fn open(secret: &[u8], with: &[u8], sealed: &Sealed) -> Option<Vec<u8>> {
    let salt = octets::unhex(&sealed.salt)?;
    let nonce: [u8; 12] = octets::unhex(&sealed.nonce)?.try_into().ok()?;
    let mut plain = octets::unhex(&sealed.octets)?;
    let opened =
        key(secret, &salt).open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(with), &mut plain);
    opened.ok().map(|octets| octets.to_vec())
}

fn key(secret: &[u8], salt: &[u8]) -> LessSafeKey {
    let derived = Salt::new(HKDF_SHA256, salt).extract(secret);
    let okm = derived
        .expand(&[PURPOSE], &CHACHA20_POLY1305)
        .expect("one key is far below what HKDF gives");
    LessSafeKey::new(UnboundKey::from(okm))
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
