//! Keys in files under a password: the Web3 Secret Storage (version 3), as geth, clef and every wallet write it, and EIP-2335
//! (version 4), which deposit tools and remote signers take.
//!
//! ```text
//!   password ─► scrypt or PBKDF2 with the salt ─► 32 octets ─┬─ the first 16: key of AES-128-CTR over the private key
//!                                                            └─ the last 16, then the ciphertext ─► digest: the check
//!
//!   version 3: Keccak-256, the password as it is          version 4: SHA-256, the password normalised
//! ```
//!
//! A wrong password gives another check; that and a file that was changed cannot be told apart, and both are refused before
//! anything is deciphered. The address stands in the file in clear, for lists; it is held against the key on opening.
//!
//! Knows neither directories nor terminals: text in, text out.

mod eip2335;
mod kdf;
mod octets;
mod sealed;
mod web3;

pub use kdf::Kdf;

use crate::Key;
use alloy_primitives::Address;
use octets::hex;
use sealed::Sealed;
use serde::Deserialize;

/// Why a file gives no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    /// It is not a keystore, or not of these versions or this cipher.
    #[error("no keystore of version 3 or 4: {0}")]
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

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// The Web3 Secret Storage, version 3.
    #[default]
    Web3,
    /// EIP-2335, version 4.
    Eip2335,
}

/// A key under a password, as it lies in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keystore(Document);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Document {
    Web3(web3::Document),
    Eip2335(Box<eip2335::Document>),
}

impl Keystore {
    /// Puts a key under a password. Salt, initialisation vector and id are random.
    ///
    /// # Errors
    /// [`KeystoreError::TooMuch`] for a derivation that [`Keystore::open`] would refuse; [`KeystoreError::Random`];
    /// [`KeystoreError::Form`] for a password that [`Format::Eip2335`] cannot have.
    pub fn seal(key: &Key, password: &[u8], kdf: Kdf, format: Format) -> Result<Self, KeystoreError> {
        let (secret, id) = (key.secret(), uuid(random()?));
        Ok(Self(match format {
            Format::Web3 => {
                let sealed = Sealed::seal(secret, password, kdf, web3::check)?;
                Document::Web3(web3::Document::new(&sealed, key.address(), id))
            }
            Format::Eip2335 => {
                let password = eip2335::normalised(password)?;
                let sealed = Sealed::seal(secret, &password, kdf, eip2335::check)?;
                Document::Eip2335(Box::new(eip2335::Document::new(&sealed, key.address(), id)?))
            }
        }))
    }

    /// Reads a file's text, of either form. Nothing secret is touched.
    ///
    /// # Errors
    /// [`KeystoreError::Form`] with the field that is wrong.
    pub fn read(text: &str) -> Result<Self, KeystoreError> {
        // The version is looked at first: the fields of another one say nothing about what is wrong.
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let form = |cause: serde_json::Error| KeystoreError::Form(cause.to_string());
        let Version { version } = serde_json::from_str(text).map_err(form)?;
        Ok(Self(match version {
            web3::VERSION => Document::Web3(web3::Document::read(text)?),
            eip2335::VERSION => {
                let document = eip2335::Document::read(text)?;
                document.is_an_accounts()?;
                Document::Eip2335(Box::new(document))
            }
            other => return Err(KeystoreError::Form(format!("its version is {other}"))),
        }))
    }

    /// The key inside.
    ///
    /// # Errors
    /// See [`KeystoreError`].
    pub fn open(&self, password: &[u8]) -> Result<Key, KeystoreError> {
        let secret = match &self.0 {
            Document::Web3(document) => document.sealed()?.open(password, web3::check),
            Document::Eip2335(document) => {
                let password = eip2335::normalised(password)?;
                document.sealed()?.open(&password, eip2335::check)
            }
        };
        let key = Key::new(secret?).map_err(|_| KeystoreError::Key)?;
        match self.address() {
            Some(said) if said != key.address() => Err(KeystoreError::Address {
                said,
                held: key.address(),
            }),
            _ => Ok(key),
        }
    }

    /// The account that the file says it is of; some programs leave it out.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        match &self.0 {
            Document::Web3(document) => document.address(),
            Document::Eip2335(document) => document.address(),
        }
    }

    /// The file's text: one line of JSON, as geth writes it.
    ///
    /// # Panics
    /// Never: texts and numbers become JSON.
    #[must_use]
    pub fn text(&self) -> String {
        let text = match &self.0 {
            Document::Web3(document) => serde_json::to_string(document),
            Document::Eip2335(document) => serde_json::to_string(document),
        };
        text.expect("texts and numbers become JSON")
    }
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

#[cfg(test)]
mod tests;
