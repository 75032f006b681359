//! Encrypted resolvers, option 162.
//!
//! ```text
//!   +--------------------+----------+---------+------+----------+-----------+------------+
//!   | instance length(2) | priority | ADN len | ADN  | addr len | addresses | SvcParams  |  repeated
//!   |                    |   (2)    |   (1)   |labels|   (1)    |           |            |
//!   +--------------------+----------+---------+------+----------+-----------+------------+
//!                                                    └ absent in ADN-only mode ──────────┘
//! ```
//!
//! Source: RFC 9463, section 5.1; service parameters RFC 9460 section 2.2, `dohpath` RFC 9461 section 5.

use super::address;
use super::encode::{EncodeError, name_fault};
use super::hex;
use super::kind::OptionKind;
use super::name;
use std::collections::BTreeMap;

const ALPN: u16 = 1;
const PORT: u16 = 3;
const DOHPATH: u16 = 7;

/// One instance: `PRIORITY NAME [ADDRESS,… [key=value …]]`.
pub(super) fn write(item: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let fault = || EncodeError::of(OptionKind::Dnr, item);
    let mut words = item.split_whitespace();
    let priority: u16 = words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or_else(fault)?;
    let text = words.next().ok_or_else(fault)?;
    let mut adn = Vec::new();
    name::write_name(text, &mut adn).map_err(|fault| name_fault(text, fault))?;
    let mut instance = priority.to_be_bytes().to_vec();
    instance.push(u8::try_from(adn.len()).map_err(|_| fault())?);
    instance.extend(adn);
    if let Some(addresses) = words.next() {
        // Addresses come first: RFC 9463 allows service parameters only together with them.
        address::write_counted(addresses, &mut instance)?;
        write_parameters(words, &mut instance)?;
    }
    out.extend(u16::try_from(instance.len()).map_err(|_| fault())?.to_be_bytes());
    out.extend(instance);
    Ok(())
}

/// Keys ascending, each once (RFC 9460, section 2.2).
fn write_parameters<'t>(words: impl Iterator<Item = &'t str>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut parameters = BTreeMap::new();
    for word in words {
        let (key, value) = parameter(word)?;
        if parameters.insert(key, value).is_some() {
            return Err(EncodeError::new(word, "every parameter once"));
        }
    }
    for (key, value) in parameters {
        out.extend(key.to_be_bytes());
        out.extend((value.len() as u16).to_be_bytes());
        out.extend(value);
    }
    Ok(())
}

fn parameter(word: &str) -> Result<(u16, Vec<u8>), EncodeError> {
    let fault = || {
        EncodeError::new(
            word,
            "`alpn=dot,h2`, `port=853`, `dohpath=/q{?dns}` or `key9=0102`",
        )
    };
    let (key, value) = word.split_once('=').ok_or_else(fault)?;
    match key {
        "alpn" => {
            let mut ids = Vec::new();
            for id in value.split(',') {
                let len = u8::try_from(id.len())
                    .ok()
                    .filter(|&len| len > 0)
                    .ok_or_else(fault)?;
                ids.push(len);
                ids.extend(id.as_bytes());
            }
            Ok((ALPN, ids))
        }
        "port" => value
            .parse::<u16>()
            .map(|port| (PORT, port.to_be_bytes().to_vec()))
            .map_err(|_| fault()),
        "dohpath" if !value.is_empty() => Ok((DOHPATH, value.as_bytes().to_vec())),
        other => {
            let number = other
                .strip_prefix("key")
                .and_then(|number| number.parse().ok())
                .ok_or_else(fault)?;
            hex::parse(value).map(|octets| (number, octets)).ok_or_else(fault)
        }
    }
}

pub(super) fn show(octets: &[u8]) -> Option<String> {
    let mut instances = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let (&len, behind) = rest.split_first_chunk::<2>()?;
        let (instance, next) = behind.split_at_checked(usize::from(u16::from_be_bytes(len)))?;
        instances.push(show_instance(instance)?);
        rest = next;
    }
    (!instances.is_empty()).then(|| instances.join("; "))
}

fn show_instance(instance: &[u8]) -> Option<String> {
    let (&priority, rest) = instance.split_first_chunk::<2>()?;
    let (&adn_len, rest) = rest.split_first()?;
    let (adn, rest) = rest.split_at_checked(usize::from(adn_len))?;
    let mut words = vec![u16::from_be_bytes(priority).to_string(), name::name_to_text(adn)?];
    if let Some((&len, rest)) = rest.split_first() {
        let (addresses, parameters) = rest.split_at_checked(usize::from(len))?;
        words.push(address::show_list(addresses)?.replace(", ", ","));
        show_parameters(parameters, &mut words)?;
    }
    Some(words.join(" "))
}

fn show_parameters(parameters: &[u8], words: &mut Vec<String>) -> Option<()> {
    let mut rest = parameters;
    while !rest.is_empty() {
        let (&key, behind) = rest.split_first_chunk::<2>()?;
        let (&len, behind) = behind.split_first_chunk::<2>()?;
        let (value, next) = behind.split_at_checked(usize::from(u16::from_be_bytes(len)))?;
        words.push(show_parameter(u16::from_be_bytes(key), value)?);
        rest = next;
    }
    Some(())
}

fn show_parameter(key: u16, value: &[u8]) -> Option<String> {
    match key {
        ALPN => {
            let mut ids = Vec::new();
            let mut rest = value;
            while let Some((&len, behind)) = rest.split_first() {
                let (id, next) = behind.split_at_checked(usize::from(len))?;
                ids.push(std::str::from_utf8(id).ok()?);
                rest = next;
            }
            Some(format!("alpn={}", ids.join(",")))
        }
        PORT => value
            .try_into()
            .ok()
            .map(|port| format!("port={}", u16::from_be_bytes(port))),
        DOHPATH => std::str::from_utf8(value)
            .ok()
            .map(|path| format!("dohpath={path}")),
        other => Some(format!("key{other}={}", hex::show(value))),
    }
}
