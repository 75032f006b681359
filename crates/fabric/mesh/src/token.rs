//! The text of a join token: where the cluster is, how it is recognised, and a secret that works once.
//!
//! ```text
//!   purlin-join-1_0f3c92ab1d77_<secret, 40 digits>_<SHA-256 of the authority, 64 digits>_10.0.0.11:8067,10.0.0.12:8067_<check, 8 digits>
//!   version       id                                                                     members that can be asked
//! ```
//!
//! Digits are hexadecimal. Whoever has the text may join as one node until it ends: it is passed like a password. The
//! pin lets the new machine know the cluster before it says the secret.

use crate::octets;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

const FAMILY: &str = "purlin-join-";
const VERSION: &str = "1";
const ID: usize = 6;
/// 160 bits.
const SECRET: usize = 20;
const PIN: usize = 32;
const CHECK: usize = 4;

/// A join token. `Debug` does not show the secret; `Display` is the text itself.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// Names the token without giving it away.
    pub id: String,
    pub(crate) secret: [u8; SECRET],
    pub(crate) pin: [u8; PIN],
    /// Members that can be asked, the one that made it first.
    pub addresses: Vec<SocketAddr>,
}

/// Why a text is no join token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadToken {
    /// Something else altogether.
    Form,
    /// Of a version that this program does not read.
    Version(String),
    /// Cut off, or mistyped.
    Damaged,
}

impl JoinToken {
    pub(crate) fn make(pin: [u8; PIN], addresses: Vec<SocketAddr>) -> Self {
        Self {
            id: octets::hex(&octets::random::<ID>()),
            secret: octets::random(),
            pin,
            addresses,
        }
    }

    fn body(&self) -> String {
        let addresses: Vec<String> = self.addresses.iter().map(SocketAddr::to_string).collect();
        format!(
            "{FAMILY}{VERSION}_{}_{}_{}_{}",
            self.id,
            octets::hex(&self.secret),
            octets::hex(&self.pin),
            addresses.join(",")
        )
    }
}

/// Tells a text that was cut off or mistyped from a whole one.
fn check(body: &str) -> String {
    octets::hex(&octets::sha256(body.as_bytes())[..CHECK])
}

impl fmt::Display for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body();
        write!(f, "{body}_{}", check(&body))
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinToken")
            .field("id", &self.id)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl FromStr for JoinToken {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let rest = text.trim().strip_prefix(FAMILY).ok_or(BadToken::Form)?;
        let (version, _) = rest.split_once('_').ok_or(BadToken::Damaged)?;
        if version != VERSION {
            return Err(BadToken::Version(version.to_owned()));
        }
        let (body, sum) = text.trim().rsplit_once('_').ok_or(BadToken::Damaged)?;
        if check(body) != sum {
            return Err(BadToken::Damaged);
        }
        let parts: Vec<&str> = body.split('_').collect();
        let [_, id, secret, pin, addresses] = parts[..] else {
            return Err(BadToken::Damaged);
        };
        let token = Self {
            id: id.to_owned(),
            secret: array(secret).ok_or(BadToken::Damaged)?,
            pin: array(pin).ok_or(BadToken::Damaged)?,
            addresses: addresses
                .split(',')
                .map(|one| one.parse().map_err(|_| BadToken::Damaged))
                .collect::<Result<_, _>>()?,
        };
        Ok(token)
    }
}

fn array<const N: usize>(digits: &str) -> Option<[u8; N]> {
    octets::unhex(digits)?.try_into().ok()
}

impl fmt::Display for BadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("this is no join token: one begins with purlin-join-"),
            Self::Version(found) => write!(
                f,
                "the join token is of version {found}, this program reads version {VERSION}"
            ),
            Self::Damaged => f.write_str("the join token is damaged: a part is missing or mistyped"),
        }
    }
}

impl BadToken {
    /// What helps.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Form | Self::Damaged => {
                "copy the whole line that `purlin cluster token create` printed, or make a new token"
            }
            Self::Version(_) => "install the version of Purlin that the cluster runs, then make a new token",
        }
    }
}

impl std::error::Error for BadToken {}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> JoinToken {
        let addresses = vec![
            "10.0.0.11:8067".parse().unwrap(),
            "[2001:db8::1]:8067".parse().unwrap(),
        ];
        JoinToken::make([7; PIN], addresses)
    }

    #[test]
    fn a_text_and_its_token_are_the_same() {
        let token = token();
        assert_eq!(format!("  {token}\n").parse(), Ok(token));
    }

    #[test]
    fn every_lost_or_changed_character_is_noticed() {
        let text = token().to_string();
        for end in "purlin-join-1_".len()..text.len() {
            assert_eq!(text[..end].parse::<JoinToken>(), Err(BadToken::Damaged), "{end}");
        }
        for at in "purlin-join-1_".len()..text.len() {
            let mut octets = text.clone().into_bytes();
            octets[at] = if octets[at] == b'1' { b'2' } else { b'1' };
            let changed = String::from_utf8(octets).unwrap();
            assert_eq!(changed.parse::<JoinToken>(), Err(BadToken::Damaged), "{at}");
        }
    }

    #[test]
    fn another_version_is_named() {
        let text = token().to_string().replace("join-1", "join-2");
        assert_eq!(text.parse::<JoinToken>(), Err(BadToken::Version("2".into())));
        assert_eq!("pur_12_34".parse::<JoinToken>(), Err(BadToken::Form));
        assert_eq!("purlin-join-".parse::<JoinToken>(), Err(BadToken::Damaged));
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        let token = token();
        assert!(!format!("{token:?}").contains(&octets::hex(&token.secret)));
    }
}
