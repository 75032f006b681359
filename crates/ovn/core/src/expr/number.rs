//! Numeric constants: integers, addresses and their masks, as OVN writes them.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// How a constant was written. It decides how wide it is at least, and which masks go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    Decimal,
    Hexadecimal,
    Ipv4,
    Ipv6,
    Ethernet,
}

/// A constant of up to 128 bits, with a mask where one was written. Bits outside of the mask are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number {
    pub value: u128,
    pub mask: Option<u128>,
    pub format: Format,
}

impl Number {
    pub fn decimal(value: u64) -> Self {
        Self {
            value: value.into(),
            mask: None,
            format: Format::Decimal,
        }
    }

    /// Bits that a field must have to be compared with it.
    pub fn width(&self) -> u32 {
        match (self.mask, self.format) {
            (Some(mask), _) => bits(mask),
            (None, Format::Decimal | Format::Hexadecimal) => bits(self.value),
            (None, Format::Ipv4) => 32,
            (None, Format::Ipv6) => 128,
            (None, Format::Ethernet) => 48,
        }
    }

    /// The mask, all ones over `width` bits where none was written.
    pub fn mask_of(&self, width: u32) -> u128 {
        self.mask.unwrap_or(ones(width))
    }

    /// Reads a whole text as one constant, as the members of an address set are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match text.split_once('/') {
            None => unmasked(text),
            Some((value, mask)) => masked(unmasked(value)?, unmasked(mask)?),
        }
    }

    /// `10.0.0.1`, `::1`, `0x12`: the constant without its mask.
    fn fmt_value(value: u128, format: Format, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            Format::Decimal => write!(f, "{value}"),
            Format::Hexadecimal => write!(f, "{value:#x}"),
            Format::Ipv4 => write!(f, "{}", Ipv4Addr::from(low_u32(value))),
            Format::Ipv6 => write!(f, "{}", Ipv6Addr::from(value)),
            Format::Ethernet => {
                let octets = value.to_be_bytes();
                let [a, b, c, d, e, g] = [
                    octets[10], octets[11], octets[12], octets[13], octets[14], octets[15],
                ];
                write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
            }
        }
    }
}

/// Ones over the low `width` bits.
pub(crate) fn ones(width: u32) -> u128 {
    u128::MAX.checked_shr(128u32.saturating_sub(width)).unwrap_or(0)
}

fn bits(value: u128) -> u32 {
    128 - value.leading_zeros()
}

fn low_u32(value: u128) -> u32 {
    u32::try_from(value & 0xffff_ffff).expect("masked to 32 bits")
}

/// The number of leading ones of an address mask, when it is nothing else.
fn prefix(mask: u128, width: u32) -> Option<u32> {
    let length = (mask << (128 - width)).leading_ones().min(width);
    (mask == ones(width) ^ ones(width - length)).then_some(length)
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::fmt_value(self.value, self.format, f)?;
        let Some(mask) = self.mask else {
            return Ok(());
        };
        f.write_str("/")?;
        let prefix = match self.format {
            Format::Ipv4 => prefix(mask, 32),
            Format::Ipv6 => prefix(mask, 128),
            _ => None,
        };
        match prefix {
            Some(length) => write!(f, "{length}"),
            None => Self::fmt_value(mask, self.format, f),
        }
    }
}

/// Reads one constant without a mask. OVN's words: decimal below 2^64 without leading zeros, `0x` and up to 32 hex
/// digits, an Ethernet, IPv4 or IPv6 address.
pub(super) fn unmasked(text: &str) -> Result<Number, String> {
    let number = |value, format| Number {
        value,
        mask: None,
        format,
    };
    if text.is_empty() {
        return Err("a number or address is missing".to_owned());
    }
    if let Some(mac) = ethernet(text) {
        return Ok(number(mac, Format::Ethernet));
    }
    if text.bytes().all(|c| c.is_ascii_digit()) {
        return decimal(text).map(|value| number(value, Format::Decimal));
    }
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return hexadecimal(digits).map(|value| number(value, Format::Hexadecimal));
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(number(u32::from(address).into(), Format::Ipv4));
    }
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Ok(number(address.into(), Format::Ipv6));
    }
    Err(format!("`{text}` is neither a number nor an address"))
}

fn decimal(text: &str) -> Result<u128, String> {
    if text.len() > 1 && text.starts_with('0') {
        return Err("a decimal number has no leading zeros".to_owned());
    }
    match text.parse::<u64>() {
        Ok(value) => Ok(value.into()),
        Err(_) => Err("a decimal number is below 2^64; write larger ones in hexadecimal".to_owned()),
    }
}

fn hexadecimal(digits: &str) -> Result<u128, String> {
    if digits.is_empty() {
        return Err("hexadecimal digits are missing behind `0x`".to_owned());
    }
    if !digits.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(format!(
            "`{digits}` has characters that are no hexadecimal digits"
        ));
    }
    u128::from_str_radix(digits, 16).map_err(|_| "a hexadecimal number has at most 128 bits".to_owned())
}

fn ethernet(text: &str) -> Option<u128> {
    let octets: Vec<&str> = text.split(':').collect();
    let whole = octets.len() == 6
        && octets
            .iter()
            .all(|o| o.len() == 2 && o.bytes().all(|c| c.is_ascii_hexdigit()));
    whole.then(|| u128::from_str_radix(&octets.concat(), 16).expect("12 hexadecimal digits"))
}

/// Joins a value and its mask; the mask has the value's form, or is a prefix length behind an address.
pub(super) fn masked(value: Number, mask: Number) -> Result<Number, String> {
    let prefix = |width: u32| {
        u32::try_from(mask.value)
            .ok()
            .filter(|length| *length <= width)
            .map(|length| ones(width) ^ ones(width - length))
            .ok_or_else(|| format!("a prefix length is at most {width} here, not {}", mask.value))
    };
    let (mask, format) = match (value.format, mask.format) {
        (a, b) if a == b => (mask.value, a),
        (Format::Ipv4, Format::Decimal) => (prefix(32)?, Format::Ipv4),
        (Format::Ipv6, Format::Decimal) => (prefix(128)?, Format::Ipv6),
        (Format::Decimal, Format::Hexadecimal) if value.value == 0 => (mask.value, Format::Hexadecimal),
        _ => return Err("value and mask are written in different forms".to_owned()),
    };
    Ok(Number {
        value: value.value & mask,
        mask: Some(mask),
        format,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(text: &str, printed: &str) {
        assert_eq!(Number::parse(text).unwrap().to_string(), printed, "{text}");
    }

    #[test]
    fn constants_are_printed_as_they_are_read() {
        for (text, printed) in [
            ("0", "0"),
            ("18446744073709551615", "18446744073709551615"),
            ("1/0", "0/0"),
            ("128/384", "128/384"),
            ("0x01234", "0x1234"),
            ("0XFE", "0xfe"),
            ("0/0x1", "0x0/0x1"),
            ("192.168.0.0/255.255.0.0", "192.168.0.0/16"),
            ("192.168.0.0/255.255.0.255", "192.168.0.0/255.255.0.255"),
            ("192.168.0.2/24", "192.168.0.0/24"),
            ("2001:db8:85a3:0:0:8a2e:370:7334", "2001:db8:85a3::8a2e:370:7334"),
            ("::1/::1", "::1/::1"),
            ("ff00::/ff00::", "ff00::/8"),
            ("01:23:45:67:AB:CD", "01:23:45:67:ab:cd"),
            (
                "ff:ff:ff:ff:ff:ff/fe:ff:ff:ff:ff:ff",
                "fe:ff:ff:ff:ff:ff/fe:ff:ff:ff:ff:ff",
            ),
        ] {
            same(text, printed);
            same(printed, printed);
        }
    }

    #[test]
    fn what_is_no_constant_is_refused() {
        for text in [
            "",
            "01",
            "1/",
            "18446744073709551616",
            "1/0x123",
            "0x",
            "0x.",
            "0x123456789012345678901234567890123",
            "256.1.2.3",
            "fe:x",
            "00:01:02:03:04:x",
            "10.0.0.0/33",
            "::/129",
        ] {
            assert!(Number::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_constant_is_as_wide_as_its_form_or_its_mask() {
        let width = |text: &str| Number::parse(text).unwrap().width();
        assert_eq!(
            [
                width("0"),
                width("4095"),
                width("1.2.3.4"),
                width("::"),
                width("::1/::ff")
            ],
            [0, 12, 32, 128, 8]
        );
        assert_eq!(width("00:00:00:00:00:01"), 48);
    }
}
