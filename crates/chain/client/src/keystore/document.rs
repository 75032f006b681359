//! The file's JSON. Numbers in hexadecimal stand without `0x`, and are read with it too.

use super::KeystoreError;
use serde::{Deserialize, Serialize};

/// The only cipher of version 3.
pub(super) const CIPHER: &str = "aes-128-ctr";

pub(super) const VERSION: u32 = 3;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Document {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<String>,
    // Early files of geth write it with a capital.
    #[serde(alias = "Crypto")]
    pub(super) crypto: Crypto,
    #[serde(default)]
    pub(super) id: String,
    pub(super) version: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Crypto {
    pub(super) cipher: String,
    pub(super) cipherparams: CipherParams,
    pub(super) ciphertext: String,
    #[serde(flatten)]
    pub(super) kdf: KdfParams,
    pub(super) mac: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CipherParams {
    pub(super) iv: String,
}

/// `kdf` and `kdfparams`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kdf", content = "kdfparams", rename_all = "lowercase")]
pub(super) enum KdfParams {
    Scrypt {
        dklen: u32,
        n: u64,
        p: u32,
        r: u32,
        salt: String,
    },
    Pbkdf2 {
        c: u32,
        dklen: u32,
        prf: String,
        salt: String,
    },
}

impl Document {
    pub(super) fn read(text: &str) -> Result<Self, KeystoreError> {
        // The version is looked at first: the fields of another one say nothing about what is wrong.
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let form = |cause: serde_json::Error| KeystoreError::Form(cause.to_string());
        let Version { version } = serde_json::from_str(text).map_err(form)?;
        if version != VERSION {
            return Err(KeystoreError::Form(format!("its version is {version}")));
        }
        let document: Self = serde_json::from_str(text).map_err(form)?;
        let cipher = &document.crypto.cipher;
        if cipher != CIPHER {
            return Err(KeystoreError::Form(format!(
                "its cipher is {cipher}, and {CIPHER} is read"
            )));
        }
        Ok(document)
    }
}

/// So many octets in hexadecimal.
pub(super) fn octets<const N: usize>(field: &str, text: &str) -> Result<[u8; N], KeystoreError> {
    let octets = any(field, text)?;
    let length = octets.len();
    octets
        .try_into()
        .map_err(|_| KeystoreError::Form(format!("{field} has {length} octets, and must have {N}")))
}

/// Any number of octets in hexadecimal.
pub(super) fn any(field: &str, text: &str) -> Result<Vec<u8>, KeystoreError> {
    alloy_primitives::hex::decode(text)
        .map_err(|cause| KeystoreError::Form(format!("{field} is not hexadecimal: {cause}")))
}
