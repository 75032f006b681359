//! Options of requests and OACKs: pairs of zero-terminated texts (RFC 2347).

use std::fmt;

/// The options this crate understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OptionName {
    /// Octets per block, 8 to 65464 (RFC 2348).
    Blksize,
    /// The same, but the answer must be a power of two (tftp-hpa).
    Blksize2,
    /// Size of the file in octets; 0 in a read request asks for it (RFC 2349).
    Tsize,
    /// Seconds between retransmissions, 1 to 255 (RFC 2349).
    Timeout,
    /// The same in microseconds, 10,000 to 255,000,000 (tftp-hpa).
    Utimeout,
    /// Blocks per acknowledgement, 1 to 65535 (RFC 7440).
    Windowsize,
    /// The block number after 65535: 0 or 1 (tftp-hpa).
    Rollover,
}

impl OptionName {
    /// Every option, in the order of the answer.
    pub const ALL: [Self; 7] = [
        Self::Blksize,
        Self::Blksize2,
        Self::Tsize,
        Self::Timeout,
        Self::Utimeout,
        Self::Windowsize,
        Self::Rollover,
    ];

    /// Its name on the wire, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blksize => "blksize",
            Self::Blksize2 => "blksize2",
            Self::Tsize => "tsize",
            Self::Timeout => "timeout",
            Self::Utimeout => "utimeout",
            Self::Windowsize => "windowsize",
            Self::Rollover => "rollover",
        }
    }

    /// The option with this name in any case (RFC 2347: "the option name is case insensitive").
    #[must_use]
    pub fn of(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|option| option.as_str().as_bytes().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for OptionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The pairs of a request or an OACK, in their order. What follows the last whole pair is not shown: some clients
/// pad their packets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    /// The pairs in `octets`.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// The first value of this option. RFC 2347 allows each option once; a repetition is ignored.
    #[must_use]
    pub fn value(self, name: OptionName) -> Option<&'a [u8]> {
        self.into_iter()
            .find(|(found, _)| OptionName::of(found) == Some(name))
            .map(|(_, value)| value)
    }
}

impl<'a> Iterator for Options<'a> {
    /// Name and value, without their terminators.
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = terminated(self.rest)?;
        let (value, rest) = terminated(rest)?;
        self.rest = rest;
        (!name.is_empty()).then_some((name, value))
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |octets: &[u8]| octets.escape_ascii().to_string();
        f.debug_map()
            .entries(self.map(|(name, value)| (text(name), text(value))))
            .finish()
    }
}

/// The octets before the first zero, and those behind it.
pub(crate) fn terminated(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = octets.iter().position(|&octet| octet == 0)?;
    Some((&octets[..end], &octets[end + 1..]))
}

/// A decimal number without sign; leading zeros are allowed. `None` when it is none or above `u64`.
pub(crate) fn number(octets: &[u8]) -> Option<u64> {
    if octets.is_empty() {
        return None;
    }
    octets.iter().try_fold(0u64, |sum, octet| {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_names_have_no_case() {
        assert_eq!(OptionName::of(b"BlkSize"), Some(OptionName::Blksize));
        assert_eq!(OptionName::of(b"blksize "), None);
        assert_eq!(OptionName::of(b""), None);
    }

    #[test]
    fn the_first_value_of_a_repeated_option_counts() {
        let options = Options::new(b"blksize\x001024\0BLKSIZE\x00512\0");
        assert_eq!(options.value(OptionName::Blksize), Some(&b"1024"[..]));
    }

    #[test]
    fn padding_and_halves_end_the_list() {
        assert_eq!(Options::new(b"tsize\x000\0\0\0\0\0").count(), 1);
        assert_eq!(Options::new(b"tsize\x000\0blksize\x00512").count(), 1);
        assert_eq!(Options::new(b"tsize").count(), 0);
        let padded = Options::new(b"\0\0tsize\x000\0");
        assert_eq!(padded.count(), 0, "an empty name ends the list");
    }

    #[test]
    fn numbers_are_plain_digits() {
        assert_eq!(number(b"0065464"), Some(65_464));
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for wrong in [
            &b""[..],
            b"-1",
            b"+1",
            b" 1",
            b"1 ",
            b"0x10",
            b"18446744073709551616",
        ] {
            assert_eq!(number(wrong), None);
        }
    }
}
