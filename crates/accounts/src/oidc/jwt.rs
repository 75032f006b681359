//! Signed tokens: RFC 7515 in its compact form, with the keys of RFC 7517.
//!
//! The signatures are ring's. The algorithm must be one that the key is for: `none` and keyed hashes are not among them,
//! so that a token cannot choose to be unsigned, or signed with what is public.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// One key of a provider. Members that are not read here may be anything.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Key {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Why a token is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// None of these keys is the one that it names: there may be newer ones.
    NoKey,
    Wrong(&'static str),
}

fn octets(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The claims of a token that one of these keys has signed.
pub(super) fn verified(token: &str, keys: &[Key]) -> Result<Map<String, Value>, Refused> {
    const FORM: Refused = Refused::Wrong("the ID token is none");
    let (signed, signature) = token.rsplit_once('.').ok_or(FORM)?;
    let (header, claims) = signed.split_once('.').ok_or(FORM)?;
    let signature = octets(signature).ok_or(FORM)?;
    let header: Header = serde_json::from_slice(&octets(header).ok_or(FORM)?).map_err(|_| FORM)?;
    if header.crit.is_some() {
        return Err(Refused::Wrong("the ID token demands what is not understood here"));
    }
    let mut meant = keys.iter().filter(|key| {
        let named = header.kid.is_none() || key.kid == header.kid;
        named && key.usage.as_deref().is_none_or(|usage| usage == "sig")
    });
    let mut any = false;
    let right = meant.any(|key| {
        any = true;
        key.has_signed(&header.alg, signed.as_bytes(), &signature)
    });
    match (right, any) {
        (true, _) => serde_json::from_slice(&octets(claims).ok_or(FORM)?).map_err(|_| FORM),
        (false, true) => Err(Refused::Wrong(
            "the signature of the ID token is not the provider's",
        )),
        (false, false) => Err(Refused::NoKey),
    }
}

impl Key {
    fn has_signed(&self, alg: &str, text: &[u8], signature: &[u8]) -> bool {
        if self.alg.as_deref().is_some_and(|own| own != alg) {
            return false;
        }
        let part = |text: &Option<String>| text.as_deref().and_then(octets);
        match (self.kty.as_str(), alg) {
            ("RSA", _) => {
                let with: &RsaParameters = match alg {
                    "RS256" => &RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &RSA_PKCS1_2048_8192_SHA512,
                    "PS256" => &RSA_PSS_2048_8192_SHA256,
                    _ => return false,
                };
                let Some((n, e)) = part(&self.n).zip(part(&self.e)) else {
                    return false;
                };
                RsaPublicKeyComponents { n, e }
                    .verify(with, text, signature)
                    .is_ok()
            }
            ("EC", "ES256") if self.crv.as_deref() == Some("P-256") => {
                let Some((x, y)) = part(&self.x).zip(part(&self.y)) else {
                    return false;
                };
                // SEC 1, section 2.3.3: an uncompressed point.
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                key.verify(text, signature).is_ok()
            }
            ("OKP", "EdDSA") if self.crv.as_deref() == Some("Ed25519") => part(&self.x).is_some_and(|x| {
                UnparsedPublicKey::new(&ED25519, x)
                    .verify(text, signature)
                    .is_ok()
            }),
            _ => false,
        }
    }
}
