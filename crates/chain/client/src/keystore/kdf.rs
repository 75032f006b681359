//! From a password to 32 octets, slowly on purpose.

use super::KeystoreError;
use super::octets;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The largest `n * r` of scrypt, which takes 128 octets for each: 1 GiB.
const SCRYPT_MEMORY_MAX: u64 = 1 << 23;

/// The largest `n * r * p` of scrypt: 32 times the work of [`Kdf::STANDARD`].
const SCRYPT_WORK_MAX: u64 = 1 << 26;

/// The most rounds of PBKDF2.
const ROUNDS_MAX: u32 = 1 << 24;

/// Octets that are derived: half for the cipher, half for the MAC.
const DERIVED: u32 = 32;

/// A derivation as the files have it: `kdf` and `kdfparams` of version 3, `function` and `params` of version 4.
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

/// How a password becomes a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kdf {
    /// scrypt (RFC 7914) with `n` = 2^`log_n`; takes 128 * n * r octets of memory.
    Scrypt { log_n: u8, r: u32, p: u32 },
    /// PBKDF2 with HMAC-SHA-256 (RFC 8018).
    Pbkdf2 { rounds: u32 },
}

impl Kdf {
    /// What geth does: 256 MiB, about a second.
    pub const STANDARD: Self = Self::Scrypt {
        log_n: 18,
        r: 8,
        p: 1,
    };

    /// For tests and for keys whose password is long and random: 8 MiB, some tens of milliseconds.
    pub const LIGHT: Self = Self::Scrypt {
        log_n: 13,
        r: 8,
        p: 1,
    };

    /// What a file asks for, and its salt.
    pub(super) fn of(params: &KdfParams) -> Result<(Self, Vec<u8>), KeystoreError> {
        let (kdf, dklen, salt) = match params {
            KdfParams::Scrypt { dklen, n, p, r, salt } => {
                if !n.is_power_of_two() || *n < 2 {
                    let what = format!("the key derivation's n is {n}, and must be a power of two");
                    return Err(KeystoreError::Form(what));
                }
                let log_n = n.trailing_zeros() as u8;
                (Self::Scrypt { log_n, r: *r, p: *p }, dklen, salt)
            }
            KdfParams::Pbkdf2 { c, dklen, prf, salt } => {
                if prf != "hmac-sha256" {
                    let what = format!("the key derivation's prf is {prf}, and hmac-sha256 is read");
                    return Err(KeystoreError::Form(what));
                }
                (Self::Pbkdf2 { rounds: *c }, dklen, salt)
            }
        };
        if *dklen != DERIVED {
            let what = format!("the key derivation's dklen is {dklen}, and must be {DERIVED}");
            return Err(KeystoreError::Form(what));
        }
        Ok((kdf, octets::any("the key derivation's salt", salt)?))
    }

    pub(super) fn with_salt(self, salt: String) -> KdfParams {
        match self {
            Self::Scrypt { log_n, r, p } => KdfParams::Scrypt {
                dklen: DERIVED,
                n: 1 << log_n,
                p,
                r,
                salt,
            },
            Self::Pbkdf2 { rounds } => KdfParams::Pbkdf2 {
                c: rounds,
                dklen: DERIVED,
                prf: "hmac-sha256".to_owned(),
                salt,
            },
        }
    }

    pub(super) fn derive(self, password: &[u8], salt: &[u8]) -> Result<[u8; 32], KeystoreError> {
        self.check()?;
        let mut derived = [0; DERIVED as usize];
        match self {
            Self::Scrypt { log_n, r, p } => {
                let wrong = |cause: &dyn std::fmt::Display| KeystoreError::Form(format!("scrypt: {cause}"));
                let params = scrypt::Params::new(log_n, r, p).map_err(|cause| wrong(&cause))?;
                scrypt::scrypt(password, salt, &params, &mut derived).map_err(|cause| wrong(&cause))?;
            }
            Self::Pbkdf2 { rounds } => {
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut derived);
            }
        }
        Ok(derived)
    }

    /// A file from a stranger must not take the machine's memory, nor hours.
    fn check(self) -> Result<(), KeystoreError> {
        match self {
            Self::Scrypt { log_n, r, p } => {
                if r == 0 || p == 0 {
                    let what = "the key derivation's r and p must be 1 at least".to_owned();
                    return Err(KeystoreError::Form(what));
                }
                let n = 1_u64.checked_shl(log_n.into());
                let memory = n.and_then(|n| n.checked_mul(r.into()));
                let work = memory.and_then(|memory| memory.checked_mul(p.into()));
                let fits = memory.is_some_and(|memory| memory <= SCRYPT_MEMORY_MAX)
                    && work.is_some_and(|work| work <= SCRYPT_WORK_MAX);
                fits.then_some(()).ok_or_else(|| {
                    KeystoreError::TooMuch(format!("scrypt with n = 2^{log_n}, r = {r}, p = {p}"))
                })
            }
            Self::Pbkdf2 { rounds: 0 } => {
                let what = "the key derivation's c must be 1 at least".to_owned();
                Err(KeystoreError::Form(what))
            }
            Self::Pbkdf2 { rounds } => (rounds <= ROUNDS_MAX)
                .then_some(())
                .ok_or_else(|| KeystoreError::TooMuch(format!("{rounds} rounds of PBKDF2"))),
        }
    }
}
