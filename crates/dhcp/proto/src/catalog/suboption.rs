//! Options inside options: `1="eth1", 2=ca:fe`, and those of vendors with their enterprise number.

use super::encode::EncodeError;
use super::hex;
use super::kind::OptionKind;
use super::render::joined;
use crate::message::{Enterprises, Suboptions};
use std::net::Ipv4Addr;

/// `CODE=VALUE`.
pub(super) fn write(item: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let fault = || EncodeError::of(OptionKind::Suboptions, item);
    let (code, value) = item.trim().split_once('=').ok_or_else(fault)?;
    out.push(code.trim().parse().map_err(|_| fault())?);
    write_counted(value, out)
}

/// A length octet and the value: text in double quotes, an IPv4 address, or pairs of hexadecimal digits.
fn write_counted(value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let value = value.trim();
    let octets = value_octets(value)
        .filter(|octets| octets.len() <= 255)
        .ok_or_else(|| {
            EncodeError::new(
                value,
                "\"text\", an IPv4 address or pairs of hexadecimal digits, 255 octets at most",
            )
        })?;
    out.push(octets.len() as u8);
    out.extend(octets);
    Ok(())
}

fn value_octets(value: &str) -> Option<Vec<u8>> {
    if let Some(text) = value.strip_prefix('"') {
        return text
            .strip_suffix('"')
            .filter(|text| !text.contains('"'))
            .map(|text| text.as_bytes().to_vec());
    }
    if let Ok(address) = value.parse::<Ipv4Addr>() {
        return Some(address.octets().to_vec());
    }
    hex::parse(
        value
            .strip_prefix("0x")
            .or_else(|| value.strip_prefix("hex:"))
            .unwrap_or(value),
    )
}

/// Printable text of some length in quotes, anything else as digits.
fn show_value(octets: &[u8]) -> String {
    let printable = |octet: &u8| (b' '..=b'~').contains(octet) && *octet != b'"';
    match std::str::from_utf8(octets) {
        Ok(text) if octets.len() > 1 && octets.iter().all(printable) => format!("\"{text}\""),
        _ => hex::show(octets),
    }
}

pub(super) fn show(octets: &[u8]) -> Option<String> {
    let suboptions = Suboptions::plain(octets).checked().ok()?;
    Some(joined(suboptions.map(|suboption| {
        format!("{}={}", suboption.code, show_value(suboption.value))
    })))
}

/// `ENTERPRISE=VALUE+VALUE` (RFC 3925, section 3).
pub(super) fn write_vendor_class(item: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let fault = || EncodeError::of(OptionKind::VendorClasses, item);
    let (number, values) = item.trim().split_once('=').ok_or_else(fault)?;
    let number: u32 = number.trim().parse().map_err(|_| fault())?;
    let mut data = Vec::new();
    let mut quoted = false;
    let pieces = values.split(|c: char| {
        quoted ^= c == '"';
        c == '+' && !quoted
    });
    for piece in pieces {
        write_counted(piece, &mut data)?;
    }
    out.extend(number.to_be_bytes());
    out.push(u8::try_from(data.len()).map_err(|_| fault())?);
    out.extend(data);
    Ok(())
}

pub(super) fn show_vendor_classes(octets: &[u8]) -> Option<String> {
    let parts = Enterprises::new(octets).map(|part| {
        let mut values = Vec::new();
        let mut rest = part.data;
        while let Some((&len, behind)) = rest.split_first() {
            let (value, next) = behind.split_at_checked(usize::from(len))?;
            values.push(show_value(value));
            rest = next;
        }
        Some(format!("{}={}", part.number, values.join("+")))
    });
    parts.collect::<Option<Vec<_>>>().map(|parts| parts.join(", "))
}

/// `ENTERPRISE/CODE=VALUE`; neighbours of one enterprise go into one part (RFC 3925, section 4).
pub(super) fn write_vendor_options(items: &[&str], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut parts: Vec<(u32, Vec<u8>)> = Vec::new();
    for item in items {
        let fault = || EncodeError::of(OptionKind::VendorOptions, item);
        let (number, suboption) = item.trim().split_once('/').ok_or_else(fault)?;
        let number: u32 = number.trim().parse().map_err(|_| fault())?;
        match parts.last_mut() {
            Some((last, data)) if *last == number => write(suboption, data)?,
            _ => {
                let mut data = Vec::new();
                write(suboption, &mut data)?;
                parts.push((number, data));
            }
        }
    }
    for (number, data) in parts {
        let len = u8::try_from(data.len()).map_err(|_| {
            EncodeError::new(
                &items.join(", "),
                format!("at most 255 octets for enterprise {number}"),
            )
        })?;
        out.extend(number.to_be_bytes());
        out.push(len);
        out.extend(data);
    }
    Ok(())
}

pub(super) fn show_vendor_options(octets: &[u8]) -> Option<String> {
    let mut items = Vec::new();
    for part in Enterprises::new(octets) {
        for suboption in Suboptions::plain(part.data).checked().ok()? {
            items.push(format!(
                "{}/{}={}",
                part.number,
                suboption.code,
                show_value(suboption.value)
            ));
        }
    }
    (!items.is_empty()).then(|| items.join(", "))
}
