//! Keys in files under a password: the Web3 Secret Storage, version 3, as geth, clef and every wallet write it.
//!
//! ```text
//!   password ─► scrypt or PBKDF2 with the salt ─► 32 octets ─┬─ the first 16: key of AES-128-CTR over the private key
//!                                                            └─ the last 16, then the ciphertext ─► Keccak-256: the MAC
//! ```
//!
//! A wrong password gives another MAC; that and a file that was changed cannot be told apart, and both are refused before
//! anything is deciphered. The address stands in the file in clear, for lists; it is held against the key on opening.
//!
//! Knows neither directories nor terminals: text in, text out.
//!
//! Source: the Web3 Secret Storage Definition (ethereum.org, formerly the wiki of go-ethereum).

mod document;
mod kdf;

pub use kdf::Kdf;

use crate::Key;
use aes::Aes128;
use alloy_primitives::{Address, B256, keccak256};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use document::{CIPHER, CipherParams, Crypto, Document, VERSION};

/// Why a file gives no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    /// It is not a keystore, or not of this version or cipher.
    #[error("no keystore of version 3: {0}")]
    Form(String),
    /// Opening it would take more memory or time than any honest file asks for.
    #[error("its key derivation asks for too much: {0}")]
    TooMuch(String),
    /// The password is wrong, or the file was changed.
    #[error("the password is wrong, or the file was changed")]
    Password,
    /// It opens, and holds another account's key than it says.
    #[error("the file says that it is the key of {said}, and holds that of {held}")]
    Address { said: Address, held: Address },
    /// What it holds is no private key.
    #[error("it opens, and what it holds is no private key")]
    Key,
    /// The system gives no random octets, without which no key may be written.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// A key under a password, as it lies in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keystore(Document);

impl Keystore {
    /// Puts a key under a password. Salt, initialisation vector and id are random.
    ///
    /// # Errors
    /// [`KeystoreError::TooMuch`] for a derivation that [`Keystore::open`] would refuse; [`KeystoreError::Random`].
    pub fn seal(key: &Key, password: &[u8], kdf: Kdf) -> Result<Self, KeystoreError> {
        let (salt, iv) = (random::<32>()?, random::<16>()?);
        let derived = kdf.derive(password, &salt)?;
        let ciphertext = cipher(&derived, &iv, key.secret().0);
        Ok(Self(Document {
            address: Some(hex(key.address().as_slice())),
            crypto: Crypto {
                cipher: CIPHER.to_owned(),
                cipherparams: CipherParams { iv: hex(&iv) },
                ciphertext: hex(&ciphertext),
                kdf: kdf.with_salt(hex(&salt)),
                mac: hex(mac(&derived, &ciphertext).as_slice()),
            },
            id: uuid(random()?),
            version: VERSION,
        }))
    }

    /// Reads a file's text. Nothing secret is touched.
    ///
    /// # Errors
    /// [`KeystoreError::Form`] with the field that is wrong.
    pub fn read(text: &str) -> Result<Self, KeystoreError> {
        Document::read(text).map(Self)
    }

    /// The key inside.
    ///
    /// # Errors
    /// See [`KeystoreError`].
    pub fn open(&self, password: &[u8]) -> Result<Key, KeystoreError> {
        let crypto = &self.0.crypto;
        let iv = document::octets::<16>("crypto.cipherparams.iv", &crypto.cipherparams.iv)?;
        let ciphertext = document::octets::<32>("crypto.ciphertext", &crypto.ciphertext)?;
        let said = document::octets::<32>("crypto.mac", &crypto.mac)?;
        let (kdf, salt) = Kdf::of(&crypto.kdf)?;
        let derived = kdf.derive(password, &salt)?;
        if mac(&derived, &ciphertext) != said {
            return Err(KeystoreError::Password);
        }
        let secret = B256::from(cipher(&derived, &iv, ciphertext));
        let key = Key::new(secret).map_err(|_| KeystoreError::Key)?;
        match self.address() {
            Some(said) if said != key.address() => Err(KeystoreError::Address {
                said,
                held: key.address(),
            }),
            _ => Ok(key),
        }
    }

    /// The account that the file says it is of; some wallets leave it out.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        self.0.address.as_ref()?.parse().ok()
    }

    /// The file's text: one line of JSON, as geth writes it.
    ///
    /// # Panics
    /// Never: texts and numbers become JSON.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(&self.0).expect("texts and numbers become JSON")
    }
}

/// AES-128-CTR, which enciphers and deciphers alike.
fn cipher(derived: &[u8; 32], iv: &[u8; 16], mut octets: [u8; 32]) -> [u8; 32] {
    let (key, _) = halves(derived);
    Ctr128BE::<Aes128>::new(&key.into(), &(*iv).into()).apply_keystream(&mut octets);
    octets
}

fn mac(derived: &[u8; 32], ciphertext: &[u8; 32]) -> B256 {
    let (_, key) = halves(derived);
    keccak256([&key[..], ciphertext].concat())
}

fn halves(derived: &[u8; 32]) -> ([u8; 16], [u8; 16]) {
    let (mut first, mut second) = ([0; 16], [0; 16]);
    first.copy_from_slice(&derived[..16]);
    second.copy_from_slice(&derived[16..]);
    (first, second)
}

fn random<const N: usize>() -> Result<[u8; N], KeystoreError> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(|cause| KeystoreError::Random(cause.to_string()))?;
    Ok(octets)
}

/// A UUID of version 4 (RFC 9562, section 5.4).
fn uuid(mut octets: [u8; 16]) -> String {
    octets[6] = octets[6] & 0x0f | 0x40;
    octets[8] = octets[8] & 0x3f | 0x80;
    let text = hex(&octets);
    format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
}

fn hex(octets: &[u8]) -> String {
    alloy_primitives::hex::encode(octets)
}

#[cfg(test)]
mod tests;
