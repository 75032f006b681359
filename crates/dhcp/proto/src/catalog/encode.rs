//! Configuration text to option octets.

use super::kind::OptionKind;
use super::{address, dnr, hex, name, number, record, route, suboption, text};
use std::fmt;

/// Longest value we encode: it still fits a message of an Ethernet MTU together with the header and a few options.
pub const ENCODED_MAX: usize = 1200;

/// What was found and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeError {
    /// The part of the text that is wrong.
    pub found: String,
    /// A right value in words.
    pub expected: String,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found.trim() {
            "" => write!(f, "the value is empty; expected {}", self.expected),
            found => write!(f, "expected {}, found {found:?}", self.expected),
        }
    }
}

impl std::error::Error for EncodeError {}

impl EncodeError {
    pub(super) fn new(found: &str, expected: impl Into<String>) -> Self {
        Self {
            found: found.to_owned(),
            expected: expected.into(),
        }
    }

    pub(super) fn of(kind: OptionKind, found: &str) -> Self {
        Self::new(found, kind.expected())
    }
}

/// The octets of one value, which for a list may hold several items with their separator.
///
/// `hex:` with pairs of digits stands for the octets themselves in every kind; so does `0x`, except where it is a
/// number.
///
/// # Errors
/// Says which part of the text is wrong and what would be right.
pub fn encode(kind: OptionKind, value: &str) -> Result<Vec<u8>, EncodeError> {
    if let Some(octets) = hex::raw(kind, value)? {
        return limited(value, octets);
    }
    match kind.separator() {
        Some(separator) => encode_items(kind, &split_items(value, separator)),
        None => {
            let mut out = Vec::new();
            write_value(kind, value, &mut out)?;
            limited(value, out)
        }
    }
}

/// The octets of a list given item by item; other kinds take exactly one item.
///
/// # Errors
/// As [`encode`]; and when a kind that is no list gets more or fewer than one item.
pub fn encode_items(kind: OptionKind, items: &[&str]) -> Result<Vec<u8>, EncodeError> {
    match items {
        [] => return Err(EncodeError::of(kind, "")),
        [one] if !kind.is_list() => return encode(kind, one),
        [one] => {
            if let Some(octets) = hex::raw(kind, one)? {
                return limited(one, octets);
            }
        }
        several if !kind.is_list() => {
            return Err(EncodeError::new(
                &several.join(", "),
                format!("one value: {}", kind.expected()),
            ));
        }
        _ => {}
    }
    if items.iter().any(|item| item.trim().is_empty()) {
        return Err(EncodeError::of(kind, ""));
    }
    let mut out = Vec::new();
    write_list(kind, items, &mut out)?;
    limited(&items.join(", "), out)
}

fn limited(value: &str, octets: Vec<u8>) -> Result<Vec<u8>, EncodeError> {
    if octets.len() <= ENCODED_MAX {
        return Ok(octets);
    }
    let shown: String = value.chars().take(40).collect();
    Err(EncodeError::new(
        &shown,
        format!("at most {ENCODED_MAX} octets, not {}", octets.len()),
    ))
}

/// Splits at `separator` outside double quotes.
fn split_items(value: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    let pieces = value.split(|c: char| {
        quoted ^= c == '"';
        c == separator && !quoted
    });
    pieces.map(str::trim).collect()
}

/// Appends one value of a kind that is no list.
pub(super) fn write_value(kind: OptionKind, value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    use OptionKind as K;
    match kind {
        K::Text | K::Uri => return text::write(kind, value, out),
        K::Record(shape) => return record::write(shape, value, out),
        _ => {}
    }
    let value = value.trim();
    match kind {
        K::Empty if ["", "true", "yes", "present"].contains(&value) => Ok(()),
        K::Bool => number::write_bool(value, out),
        K::U8 | K::U16 | K::U32 | K::I32 => number::write(kind, value, out),
        K::Seconds => number::write_seconds(value, out),
        K::Ip => address::write(value, out),
        K::Ip6 => address::write_v6(value, out),
        K::Domain => name::write_name(value, out).map_err(|fault| name_fault(value, fault)),
        K::Bytes => hex::write(value, out),
        K::Uuid => hex::write_uuid(value, out),
        K::Fqdn => text::write_fqdn(value, out),
        _ => Err(EncodeError::of(kind, value)),
    }
}

/// Appends the items of a list.
pub(super) fn write_list(kind: OptionKind, items: &[&str], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    use OptionKind as K;
    let words = || {
        items
            .iter()
            .flat_map(|item| item.split([',', ' ', '\t']))
            .filter(|word| !word.is_empty())
    };
    match kind {
        K::U8s => words().try_for_each(|word| number::write(K::U8, word, out)),
        K::U16s => words().try_for_each(|word| number::write(K::U16, word, out)),
        K::Ips => words().try_for_each(|word| address::write(word, out)),
        K::IpPairs => address::write_pairs(items, out),
        K::Domains => write_domains(words().collect(), out),
        K::UserClasses => items
            .iter()
            .try_for_each(|item| text::write_user_class(item, out)),
        K::Uris => items
            .iter()
            .try_for_each(|item| text::write_counted_uri(item.trim(), out)),
        K::Routes => route::write(items, out),
        K::Suboptions => items.iter().try_for_each(|item| suboption::write(item, out)),
        K::VendorClasses => items
            .iter()
            .try_for_each(|item| suboption::write_vendor_class(item, out)),
        K::VendorOptions => suboption::write_vendor_options(items, out),
        K::SipServers => address::write_sip(&words().collect::<Vec<_>>(), out),
        K::PcpServers => items
            .iter()
            .try_for_each(|item| address::write_counted(item, out)),
        K::Dnr => items.iter().try_for_each(|item| dnr::write(item.trim(), out)),
        _ => Err(EncodeError::of(kind, &items.join(", "))),
    }
}

/// Appends a compressed list; pointers count from the start of the list.
pub(super) fn write_domains(names: Vec<&str>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut list = Vec::new();
    for name in &names {
        name::write_name(name, &mut Vec::new()).map_err(|fault| name_fault(name, fault))?;
    }
    name::write_names(names, &mut list).map_err(|fault| name_fault("", fault))?;
    out.extend_from_slice(&list);
    Ok(())
}

pub(super) fn name_fault(found: &str, fault: name::NameError) -> EncodeError {
    EncodeError::new(found, format!("a domain name such as host.example.com ({fault})"))
}
