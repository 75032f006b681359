//! The text of a token, its hash for the disk, and its keyed digest for memory.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use ring::hmac;
use std::fmt;

use crate::problem::Problem;

const PREFIX: &str = "pur_";
const ID_LEN: usize = 12;
/// 40 hexadecimal digits are 160 random bits.
const SECRET_LEN: usize = 40;

/// The whole text of a token. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_…", self.id())
    }
}

impl SecretText {
    pub(super) fn random() -> Self {
        let id = hex(&random_octets::<{ ID_LEN / 2 }>());
        let secret = hex(&random_octets::<{ SECRET_LEN / 2 }>());
        Self(format!("{PREFIX}{id}_{secret}"))
    }

    /// The text, when it has the form of a token.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let hex = |part: &str| part.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        let formed = id.len() == ID_LEN && secret.len() == SECRET_LEN && hex(id) && hex(secret);
        formed.then(|| Self(text.to_owned()))
    }

    /// The public part.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0[PREFIX.len()..PREFIX.len() + ID_LEN]
    }

    /// The token itself: show it once to its owner, write it to a file of mode 0600, and nowhere else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The argon2id hash in PHC form. Takes tens of milliseconds.
    pub(super) fn hash(&self) -> Result<String, Problem> {
        let salt = random_octets::<16>();
        let hash: PasswordHash = Argon2::default()
            .hash_password_with_salt(self.0.as_bytes(), &salt)
            .map_err(|cause| Problem::broken(format!("a token could not be hashed: {cause}")))?;
        Ok(hash.to_string())
    }

    /// Whether `hash` is one of this text. Takes tens of milliseconds.
    pub(super) fn matches(&self, hash: &str) -> bool {
        PasswordHash::new(hash).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(self.0.as_bytes(), &hash)
                .is_ok()
        })
    }
}

/// A digest that means nothing outside this process.
pub(super) type Fingerprint = [u8; 32];

/// The key of this process's fingerprints.
pub(super) struct FingerprintKey(hmac::Key);

impl FingerprintKey {
    pub(super) fn random() -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &random_octets::<32>()))
    }

    pub(super) fn fingerprint(&self, text: &SecretText) -> Fingerprint {
        let tag = hmac::sign(&self.0, text.0.as_bytes());
        tag.as_ref().try_into().expect("HMAC-SHA256 has 32 octets")
    }

    /// In constant time.
    pub(super) fn matches(&self, text: &SecretText, known: &Fingerprint) -> bool {
        hmac::verify(&self.0, text.0.as_bytes(), known).is_ok()
    }
}

/// Octets from the kernel.
pub(crate) fn random_octets<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).expect("the kernel gives random numbers once it has started");
    octets
}

/// The first 16 octets of SHA-256 as hexadecimal digits.
pub(crate) fn short_digest(octets: &[u8]) -> String {
    hex(&ring::digest::digest(&ring::digest::SHA256, octets).as_ref()[..16])
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    use fmt::Write;
    octets
        .iter()
        .fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
            write!(text, "{octet:02x}").expect("a String takes every text");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_and_by_nothing_else() {
        let (one, other) = (SecretText::random(), SecretText::random());
        let hash = one.hash().unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(one.matches(&hash) && !other.matches(&hash) && !one.matches("nonsense"));
    }

    #[test]
    fn only_the_form_of_a_token_is_parsed() {
        let text = SecretText::random();
        assert_eq!(SecretText::parse(text.reveal()), Some(text.clone()));
        for bad in [
            "",
            "pur_",
            "pur_1_2",
            "Bearer x",
            &text.reveal()[1..],
            &format!("{}0", text.reveal()),
        ] {
            assert_eq!(SecretText::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        let text = SecretText::random();
        assert!(!format!("{text:?}").contains(&text.reveal()[20..]));
    }
}
