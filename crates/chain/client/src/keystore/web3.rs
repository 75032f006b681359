//! The Web3 Secret Storage, version 3, as JSON. Numbers in hexadecimal stand without `0x`, and are read with it too.
//!
//! Source: the Web3 Secret Storage Definition (ethereum.org, formerly the wiki of go-ethereum).

use super::kdf::KdfParams;
use super::octets::{exact, hex};
use super::sealed::{CIPHER, Sealed};
use super::{Kdf, KeystoreError};
use alloy_primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};

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

impl Document {
    pub(super) fn new(sealed: &Sealed, address: Address, id: String) -> Self {
        Self {
            address: Some(hex(address.as_slice())),
            crypto: Crypto {
                cipher: CIPHER.to_owned(),
                cipherparams: CipherParams { iv: hex(&sealed.iv) },
                ciphertext: hex(&sealed.ciphertext),
                kdf: sealed.kdf.with_salt(hex(&sealed.salt)),
                mac: hex(sealed.check.as_slice()),
            },
            id,
            version: VERSION,
        }
    }

    pub(super) fn read(text: &str) -> Result<Self, KeystoreError> {
        let document: Self =
            serde_json::from_str(text).map_err(|cause| KeystoreError::Form(cause.to_string()))?;
        let cipher = &document.crypto.cipher;
        if cipher != CIPHER {
            return Err(KeystoreError::Form(format!(
                "its cipher is {cipher}, and {CIPHER} is read"
            )));
        }
        Ok(document)
    }

    pub(super) fn sealed(&self) -> Result<Sealed, KeystoreError> {
        let crypto = &self.crypto;
        let (kdf, salt) = Kdf::of(&crypto.kdf)?;
        Ok(Sealed {
            kdf,
            salt,
            iv: exact("crypto.cipherparams.iv", &crypto.cipherparams.iv)?,
            ciphertext: exact("crypto.ciphertext", &crypto.ciphertext)?,
            check: exact("crypto.mac", &crypto.mac)?.into(),
        })
    }

    pub(super) fn address(&self) -> Option<Address> {
        self.address.as_ref()?.parse().ok()
    }
}

/// Over the second half of the derived key, with the ciphertext behind it.
pub(super) fn check(octets: &[u8]) -> B256 {
    keccak256(octets)
}
