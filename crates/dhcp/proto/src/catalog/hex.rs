//! Octets as pairs of hexadecimal digits.

use super::encode::EncodeError;
use super::kind::OptionKind;

/// The octets of `hex:…` or, where that is no number, `0x…`; `None` when the text is neither.
pub(super) fn raw(kind: OptionKind, value: &str) -> Result<Option<Vec<u8>>, EncodeError> {
    let trimmed = value.trim();
    if let Some(digits) = strip_prefix(trimmed, "hex:") {
        return parse(digits)
            .map(Some)
            .ok_or_else(|| EncodeError::of(OptionKind::Bytes, value));
    }
    match strip_prefix(trimmed, "0x") {
        Some(digits) if !kind.is_number() => match parse(digits) {
            // A text may begin with "0x" and mean just that.
            None if matches!(kind, OptionKind::Text | OptionKind::Uri | OptionKind::Record(_)) => Ok(None),
            None if kind.is_list() => Ok(None),
            None => Err(EncodeError::of(OptionKind::Bytes, value)),
            octets => Ok(octets),
        },
        _ => Ok(None),
    }
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Pairs of digits, with or without `:`, `-`, `.` or a blank between pairs; nothing is no octets.
pub(super) fn parse(digits: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(digits.len() / 2);
    let mut rest = digits;
    while !rest.is_empty() {
        let (pair, behind) = rest.split_at_checked(2)?;
        if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        octets.push(u8::from_str_radix(pair, 16).ok()?);
        rest = match behind.strip_prefix([':', '-', '.', ' ']) {
            Some("") => return None,
            Some(next) => next,
            None => behind,
        };
    }
    Some(octets)
}

pub(super) fn write(value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match parse(value) {
        Some(octets) if !octets.is_empty() => {
            out.extend_from_slice(&octets);
            Ok(())
        }
        _ => Err(EncodeError::of(OptionKind::Bytes, value)),
    }
}

pub(super) fn show(octets: &[u8]) -> String {
    octets
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect::<Vec<_>>()
        .join(":")
}

pub(super) fn show_raw(octets: &[u8]) -> String {
    format!("hex:{}", show(octets))
}

/// Type 0 and the UUID in wire order, as RFC 9562 writes it.
pub(super) fn write_uuid(value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match parse(&value.replace('-', "")) {
        Some(octets) if octets.len() == 16 => {
            out.push(0);
            out.extend_from_slice(&octets);
            Ok(())
        }
        _ => Err(EncodeError::of(OptionKind::Uuid, value)),
    }
}

pub(super) fn show_uuid(octets: &[u8]) -> Option<String> {
    let (&0, uuid) = octets.split_first()? else {
        return None;
    };
    if uuid.len() != 16 {
        return None;
    }
    let digits: String = uuid.iter().map(|octet| format!("{octet:02x}")).collect();
    Some(
        [
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..],
        ]
        .join("-"),
    )
}
