//! EIP-2335, version 4, as JSON: three modules, each with its function, its parameters and what it gives.
//!
//! Made for the BLS keys of consensus-layer validators, it says nothing of what the secret is. Here it is an account's, on
//! secp256k1; a file that names a BLS key (48 octets) is refused before its password is asked for. Such a file has no field for an
//! address, so that it stands in the description, in fixed words.
//!
//! Source: <https://eips.ethereum.org/EIPS/eip-2335>.

use super::kdf::KdfParams;
use super::octets::{any, exact, hex};
use super::sealed::{CIPHER, Sealed};
use super::{Kdf, KeystoreError};
use alloy_primitives::{Address, B256};
use icu_normalizer::DecomposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(super) const VERSION: u32 = 4;

const CHECKSUM: &str = "sha256";

/// Before the address, in the description.
const ACCOUNT: &str = "account ";

/// Octets of a compressed point of BLS12-381's first group.
const BLS_KEY: usize = 48;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Document {
    crypto: Crypto,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pubkey: String,
    /// Of derived keys (EIP-2334); empty where the secret was not derived.
    #[serde(default)]
    path: String,
    #[serde(default)]
    uuid: String,
    version: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Crypto {
    kdf: Module,
    checksum: Module,
    cipher: Module,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Module {
    function: String,
    params: Value,
    message: String,
}

impl Document {
    pub(super) fn new(sealed: &Sealed, address: Address, uuid: String) -> Result<Self, KeystoreError> {
        let kdf = serde_json::to_value(sealed.kdf.with_salt(hex(&sealed.salt)));
        let kdf = kdf.map_err(|cause| KeystoreError::Form(cause.to_string()))?;
        let module = |function: &str, params: Value, message: String| Module {
            function: function.to_owned(),
            params,
            message,
        };
        let function = kdf["kdf"].as_str().unwrap_or_default();
        Ok(Self {
            crypto: Crypto {
                kdf: module(function, kdf["kdfparams"].clone(), String::new()),
                checksum: module(CHECKSUM, json!({}), hex(sealed.check.as_slice())),
                cipher: module(CIPHER, json!({ "iv": hex(&sealed.iv) }), hex(&sealed.ciphertext)),
            },
            description: format!("{ACCOUNT}{address}"),
            pubkey: String::new(),
            path: String::new(),
            uuid,
            version: VERSION,
        })
    }

    pub(super) fn read(text: &str) -> Result<Self, KeystoreError> {
        let document: Self =
            serde_json::from_str(text).map_err(|cause| KeystoreError::Form(cause.to_string()))?;
        let Crypto { checksum, cipher, .. } = &document.crypto;
        for (what, module, function) in [("checksum", checksum, CHECKSUM), ("cipher", cipher, CIPHER)] {
            if module.function != function {
                let found = &module.function;
                return Err(KeystoreError::Form(format!(
                    "its {what} is {found}, and {function} is read"
                )));
            }
        }
        Ok(document)
    }

    /// That it is not the key of something else than an account.
    pub(super) fn is_an_accounts(&self) -> Result<(), KeystoreError> {
        if any("pubkey", &self.pubkey)?.len() == BLS_KEY {
            return Err(KeystoreError::Form(
                "its public key has 48 octets: it is the BLS key of a consensus-layer validator, and no account's".to_owned(),
            ));
        }
        Ok(())
    }

    pub(super) fn sealed(&self) -> Result<Sealed, KeystoreError> {
        let Crypto {
            kdf,
            checksum,
            cipher,
        } = &self.crypto;
        let params = json!({ "kdf": kdf.function, "kdfparams": kdf.params });
        let params: KdfParams =
            serde_json::from_value(params).map_err(|cause| KeystoreError::Form(cause.to_string()))?;
        let (kdf, salt) = Kdf::of(&params)?;
        let iv = cipher.params["iv"].as_str().unwrap_or_default();
        Ok(Sealed {
            kdf,
            salt,
            iv: exact("crypto.cipher.params.iv", iv)?,
            ciphertext: exact("crypto.cipher.message", &cipher.message)?,
            check: exact("crypto.checksum.message", &checksum.message)?.into(),
        })
    }

    pub(super) fn address(&self) -> Option<Address> {
        self.description.strip_prefix(ACCOUNT)?.parse().ok()
    }
}

/// Over the second half of the derived key, with the ciphertext behind it.
pub(super) fn check(octets: &[u8]) -> B256 {
    let digest: [u8; 32] = Sha256::digest(octets).into();
    digest.into()
}

/// A password as it is derived from: compatibility forms taken apart (NFKD), without C0, C1 and Delete, so that the same keys
/// pressed on any machine give the same octets. Section "Password requirements".
///
/// # Errors
/// What is no UTF-8 has no such form.
pub(super) fn normalised(password: &[u8]) -> Result<Vec<u8>, KeystoreError> {
    let text = std::str::from_utf8(password).map_err(|_| {
        KeystoreError::Form("a password of version 4 is UTF-8, and this one is not".to_owned())
    })?;
    let apart = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let kept: String = apart.chars().filter(|one| !one.is_control()).collect();
    Ok(kept.into_bytes())
}
