//! Passwords and secrets for whoever keeps accounts: made, hashed, compared.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use crate::problem::Problem;
use crate::tokens::{hex, random_octets};

/// Random lower-case hexadecimal digits, two for each of `N` octets from the kernel.
#[must_use]
pub fn random_hex<const N: usize>() -> String {
    hex(&random_octets::<N>())
}

/// The argon2id hash of a password in PHC form. Takes tens of milliseconds and 19 MiB: not on an async thread.
///
/// # Errors
/// When the password has no length that can be hashed.
pub fn hash(password: &str) -> Result<String, Problem> {
    let salt = random_octets::<16>();
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|cause| Problem::broken(format!("a password could not be hashed: {cause}")))?;
    Ok(hash.to_string())
}

/// Whether `hash` is one of this password. Takes as long as making it.
#[must_use]
pub fn matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

/// SHA-256 as hexadecimal digits: enough for secrets of 160 random bits, which nobody can guess.
#[must_use]
pub fn digest(secret: &str) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, secret.as_bytes()).as_ref())
}

/// Whether a secret has this digest. Digests of random secrets may be compared in any way: what they agree in says
/// nothing about the secret.
#[must_use]
pub fn has_digest(secret: &str, known: &str) -> bool {
    digest(secret) == known
}
