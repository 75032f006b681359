//! Numbers, truth values and durations.

use super::encode::EncodeError;
use super::kind::OptionKind;

/// A decimal number, or a hexadecimal one behind `0x`.
fn parse(value: &str) -> Option<i64> {
    match value.strip_prefix("0x").or_else(|| value.strip_prefix("0X")) {
        Some(digits) if !digits.starts_with(['+', '-']) => i64::from_str_radix(digits, 16).ok(),
        Some(_) => None,
        None => value.parse().ok(),
    }
}

pub(super) fn write(kind: OptionKind, value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let fault = || EncodeError::of(kind, value);
    let number = parse(value).ok_or_else(fault)?;
    match kind {
        OptionKind::U8 => out.push(u8::try_from(number).map_err(|_| fault())?),
        OptionKind::U16 => out.extend(u16::try_from(number).map_err(|_| fault())?.to_be_bytes()),
        OptionKind::I32 => out.extend(i32::try_from(number).map_err(|_| fault())?.to_be_bytes()),
        _ => out.extend(u32::try_from(number).map_err(|_| fault())?.to_be_bytes()),
    }
    Ok(())
}

pub(super) fn show(kind: OptionKind, octets: &[u8]) -> Option<String> {
    match kind {
        OptionKind::U8 => <[u8; 1]>::try_from(octets).ok().map(|[octet]| octet.to_string()),
        OptionKind::U16 => octets
            .try_into()
            .ok()
            .map(|octets| u16::from_be_bytes(octets).to_string()),
        OptionKind::I32 => octets
            .try_into()
            .ok()
            .map(|octets| i32::from_be_bytes(octets).to_string()),
        OptionKind::Seconds if octets == [255; 4] => Some("forever".to_owned()),
        _ => octets
            .try_into()
            .ok()
            .map(|octets| u32::from_be_bytes(octets).to_string()),
    }
}

pub(super) fn write_bool(value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let octet = match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => 1,
        "false" | "no" | "off" | "0" => 0,
        _ => return Err(EncodeError::of(OptionKind::Bool, value)),
    };
    out.push(octet);
    Ok(())
}

pub(super) fn show_bool(octets: &[u8]) -> Option<String> {
    match octets {
        [0] => Some("false".to_owned()),
        [1] => Some("true".to_owned()),
        _ => None,
    }
}

/// Seconds as a number, as parts with units, or for ever (RFC 2131, section 3.3: all ones).
pub(super) fn write_seconds(value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let fault = || EncodeError::of(OptionKind::Seconds, value);
    let word = value.to_ascii_lowercase();
    let seconds = match word.as_str() {
        "forever" | "infinite" | "infinity" => i64::from(u32::MAX),
        word => parse(word).or_else(|| parts(word)).ok_or_else(fault)?,
    };
    out.extend(u32::try_from(seconds).map_err(|_| fault())?.to_be_bytes());
    Ok(())
}

/// `1d12h30m`: every number has a unit.
fn parts(word: &str) -> Option<i64> {
    let mut total = 0i64;
    let mut rest = word;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |len| digits + len);
        let factor = match rest[digits..unit_end].trim() {
            "s" | "sec" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = &rest[unit_end..];
    }
    (!word.is_empty()).then_some(total)
}
