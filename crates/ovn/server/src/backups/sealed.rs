//! From text to what is kept, and back: gzip, then a key that only the asker knows.
//!
//! ```text
//!   "PURLINB1" | salt, 16 octets | nonce, 12 octets | ChaCha20-Poly1305 of the rest; everything before is authenticated, too
//! ```
//!
//! The key is argon2id of the passphrase and the salt (19 MiB, 2 passes). It is kept nowhere: who loses it has lost the
//! backup. Sources: RFC 8439, RFC 9106.

use crate::reasons;
use argon2::Argon2;
use axum::http::StatusCode;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use purlin_api::Problem;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use std::io::{Read, Write};

const MAGIC: &[u8; 8] = b"PURLINB1";
const SALT: usize = 16;
const NONCE: usize = 12;
/// Shortest passphrase.
pub(crate) const KEY_MIN: usize = 8;
/// What a compressed backup may grow to.
const PLAIN_MAX: u64 = 2 << 30;

fn broken(what: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &reasons::BAD_DOCUMENT, what)
}

pub(crate) fn compress(plain: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(plain).and_then(|()| encoder.finish());
    packed.map_err(|cause| Problem::broken(format!("compressing a backup: {cause}")))
}

pub(crate) fn decompress(packed: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut plain = Vec::new();
    let read = GzDecoder::new(packed).take(PLAIN_MAX).read_to_end(&mut plain);
    read.map_err(|cause| broken(&format!("the backup is damaged: {cause}")))?;
    Ok(plain)
}

/// Takes tens of milliseconds: not on an async thread.
pub(crate) fn seal(plain: Vec<u8>, passphrase: &str) -> Result<Vec<u8>, Problem> {
    if passphrase.len() < KEY_MIN {
        return Err(broken(&format!("encryption_key: {KEY_MIN} characters at least")));
    }
    let mut sealed = MAGIC.to_vec();
    let mut random = [0; SALT + NONCE];
    getrandom::fill(&mut random)
        .map_err(|error| Problem::broken(format!("asking for random numbers: {error}")))?;
    sealed.extend_from_slice(&random);
    let key = key(passphrase, &random[..SALT])?;
    let mut text = plain;
    key.seal_in_place_append_tag(nonce(&random[SALT..]), Aad::from(&sealed), &mut text)
        .map_err(|_| Problem::broken("the backup is too large to be encrypted"))?;
    sealed.extend_from_slice(&text);
    Ok(sealed)
}

/// The same way back.
///
/// # Errors
/// 422 when the passphrase is another one, or the backup was changed.
pub(crate) fn open(sealed: &[u8], passphrase: &str) -> Result<Vec<u8>, Problem> {
    let (head, text) = sealed
        .split_at_checked(MAGIC.len() + SALT + NONCE)
        .filter(|(head, _)| head.starts_with(MAGIC))
        .ok_or_else(|| broken("the backup is not one that Purlin has encrypted"))?;
    let key = key(passphrase, &head[MAGIC.len()..MAGIC.len() + SALT])?;
    let mut text = text.to_vec();
    let plain = key
        .open_in_place(nonce(&head[MAGIC.len() + SALT..]), Aad::from(head), &mut text)
        .map_err(|_| {
            broken("decryption_key does not open the backup: it is another key, or the backup was changed")
        })?;
    Ok(plain.to_vec())
}

pub(crate) fn is_sealed(stored: &[u8]) -> bool {
    stored.starts_with(MAGIC)
}

fn key(passphrase: &str, salt: &[u8]) -> Result<LessSafeKey, Problem> {
    let mut octets = [0; 32];
    Argon2::default()
        .hash_password_into(passphrase.as_bytes(), salt, &mut octets)
        .map_err(|cause| broken(&format!("encryption_key cannot be used: {cause}")))?;
    let key = UnboundKey::new(&CHACHA20_POLY1305, &octets).expect("32 octets are a key");
    Ok(LessSafeKey::new(key))
}

fn nonce(octets: &[u8]) -> Nonce {
    Nonce::try_assume_unique_for_key(octets).expect("12 octets are a nonce")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_only() {
        let plain = b"rows".repeat(1000);
        let sealed = seal(compress(&plain).expect("packed"), "correct horse").expect("sealed");
        let opened = open(&sealed, "correct horse").expect("opened");
        assert_eq!(decompress(&opened).expect("whole"), plain);
        assert!(!sealed.windows(4).any(|octets| octets == b"rows"));
        assert!(open(&sealed, "correct horsf").is_err());
        for at in [0, 9, 25, 40, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&changed, "correct horse").is_err(), "octet {at}");
        }
        assert_ne!(
            seal(plain.clone(), "correct horse").expect("sealed"),
            seal(plain, "correct horse").expect("sealed")
        );
        assert!(seal(Vec::new(), "short").is_err());
    }
}
