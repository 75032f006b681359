//! What all forms have in common: AES-128-CTR under a key from a password, and a check of both.

use super::{Kdf, KeystoreError, random};
use aes::Aes128;
use alloy_primitives::B256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};

/// The only cipher.
pub(super) const CIPHER: &str = "aes-128-ctr";

/// How a form checks: a digest of the second half of the derived key with the ciphertext behind it.
type Check = fn(&[u8]) -> B256;

/// A secret under a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) kdf: Kdf,
    pub(super) salt: Vec<u8>,
    pub(super) iv: [u8; 16],
    pub(super) ciphertext: [u8; 32],
    pub(super) check: B256,
}

impl Sealed {
    /// Salt and initialisation vector are random.
    pub(super) fn seal(secret: B256, password: &[u8], kdf: Kdf, check: Check) -> Result<Self, KeystoreError> {
        let (salt, iv) = (random::<32>()?, random::<16>()?);
        let derived = kdf.derive(password, &salt)?;
        let ciphertext = cipher(&derived, &iv, secret.0);
        Ok(Self {
            kdf,
            salt: salt.to_vec(),
            iv,
            check: check(&checked(&derived, &ciphertext)),
            ciphertext,
        })
    }

    /// The secret; nothing is deciphered with a wrong password.
    pub(super) fn open(&self, password: &[u8], check: Check) -> Result<B256, KeystoreError> {
        let derived = self.kdf.derive(password, &self.salt)?;
        if check(&checked(&derived, &self.ciphertext)) != self.check {
            return Err(KeystoreError::Password);
        }
        Ok(cipher(&derived, &self.iv, self.ciphertext).into())
    }
}

/// AES-128-CTR, which enciphers and deciphers alike.
fn cipher(derived: &[u8; 32], iv: &[u8; 16], mut octets: [u8; 32]) -> [u8; 32] {
    let (key, _) = halves(derived);
    Ctr128BE::<Aes128>::new(&key.into(), &(*iv).into()).apply_keystream(&mut octets);
    octets
}

fn checked(derived: &[u8; 32], ciphertext: &[u8; 32]) -> Vec<u8> {
    let (_, key) = halves(derived);
    [&key[..], ciphertext].concat()
}

fn halves(derived: &[u8; 32]) -> ([u8; 16], [u8; 16]) {
    let (mut first, mut second) = ([0; 16], [0; 16]);
    first.copy_from_slice(&derived[..16]);
    second.copy_from_slice(&derived[16..]);
    (first, second)
}
