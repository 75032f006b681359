//! The 128-bit names of rows and transactions.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A row's or transaction's name, as in RFC 4122; ordered as its octets are.
///
/// On the wire the text form with hyphens, in rows as `["uuid", TEXT]`.
///
/// Source: RFC 7047, section 3.1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// What a server sends where it has no transaction id to give.
    pub const ZERO: Self = Self([0; 16]);

    /// Takes the octets as they are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A version 4 name out of 16 random octets, of which 122 bits are kept.
    #[must_use]
    pub const fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(bytes)
    }

    /// The octets, most significant first.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether this is the zero that stands for "none".
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// Reads exactly `8-4-4-4-12` hexadecimal digits of either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
        if [8, 13, 18, 23].iter().any(|&at| text[at] != b'-') {
            return None;
        }
        let (mut bytes, mut wrong) = ([0; 16], 0);
        for (byte, at) in bytes.iter_mut().zip(PLACES) {
            let (high, low) = (digit(text[at]), digit(text[at + 1]));
            wrong |= high | low;
            *byte = (high << 4) | (low & 15);
        }
        (wrong < 16).then_some(Self(bytes))
    }

    fn compose(self) -> [u8; 36] {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        text
    }
}

/// Where the two digits of each octet begin.
const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// What each octet is worth as a hexadecimal digit; above 15 where it is none. Millions of names are read at a time.
const DIGITS: [u8; 256] = {
    let (mut digits, mut octet) = ([0xff; 256], 0);
    while octet < 256 {
        digits[octet] = match octet as u8 {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            digit @ b'A'..=b'F' => digit - b'A' + 10,
            _ => 0xff,
        };
        octet += 1;
    }
    digits
};

const fn digit(octet: u8) -> u8 {
    DIGITS[octet as usize]
}

/// As the octets are, at the price of one number.
impl Ord for Uuid {
    fn cmp(&self, other: &Self) -> Ordering {
        u128::from_be_bytes(self.0).cmp(&u128::from_be_bytes(other.0))
    }
}

impl PartialOrd for Uuid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.compose();
        f.pad(std::str::from_utf8(&text).expect("hexadecimal digits and hyphens are ASCII"))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a UUID: 8-4-4-4-12 hexadecimal digits are")]
pub struct NotAUuid(String);

impl FromStr for Uuid {
    type Err = NotAUuid;

    fn from_str(text: &str) -> Result<Self, NotAUuid> {
        Self::parse(text).ok_or_else(|| NotAUuid(text.to_owned()))
    }
}

impl Serialize for Uuid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.compose();
        serializer
            .serialize_str(std::str::from_utf8(&text).expect("hexadecimal digits and hyphens are ASCII"))
    }
}

impl<'de> Deserialize<'de> for Uuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Reader)
    }
}

/// Reads a name where the text stands, without a copy of it.
struct Reader;

impl Visitor<'_> for Reader {
    type Value = Uuid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a UUID")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Uuid, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_octets_are_the_same_name() {
        let text = "550e8400-e29b-41d4-a716-446655440000";
        let uuid: Uuid = text.parse().unwrap();
        assert_eq!(uuid.to_string(), text);
        assert_eq!(uuid.as_bytes()[..4], [0x55, 0x0e, 0x84, 0x00]);
        assert_eq!(Uuid::parse(&text.to_uppercase()), Some(uuid));
    }

    #[test]
    fn what_is_no_uuid_is_refused() {
        for text in [
            "",
            "1234-5678",
            "550e8400-e29b-41d4-a716-44665544000",
            "550e8400-e29b-41d4-a716-44665544000g",
            "550e8400-e29b-41d4-a716-4466554400-0",
            "\u{e9}50e8400-e29b-41d4-a716-4466554400",
            "550e8400e-29b-41d4-a716-446655440000",
            "550e8400-e29b-41d4-a716-4466554400000",
        ] {
            assert_eq!(Uuid::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_random_name_says_that_it_is_one() {
        assert_eq!(
            Uuid::from_random([0xff; 16]).to_string(),
            "ffffffff-ffff-4fff-bfff-ffffffffffff"
        );
    }
}
