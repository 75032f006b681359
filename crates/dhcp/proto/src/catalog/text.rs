//! Text and what is made of text: URIs, user classes, the client's name.

use super::encode::{EncodeError, name_fault};
use super::kind::OptionKind;
use super::name;
use crate::message::{ClientFqdn, UserClasses};

/// In front of a user class that is sent without its length octet.
const BARE: &str = "bare:";

pub(super) fn write(kind: OptionKind, value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let uri = kind != OptionKind::Uri || is_uri(value);
    if value.is_empty() || value.chars().any(char::is_control) || !uri {
        return Err(EncodeError::of(kind, value));
    }
    out.extend_from_slice(value.as_bytes());
    Ok(())
}

/// A scheme, a colon and something without blanks (RFC 3986, section 3). `unrestricted` URNs are URIs too, such as
/// the one that says there is no captive portal (RFC 8910, section 2).
fn is_uri(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once(':') else {
        return false;
    };
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(letters)
        && !rest.is_empty()
        && !rest.contains(char::is_whitespace)
}

pub(super) fn show(octets: &[u8]) -> Option<String> {
    std::str::from_utf8(octets).ok().map(str::to_owned)
}

/// Length octet and class (RFC 3004, section 4), or the class alone behind `bare:`.
pub(super) fn write_user_class(item: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let class = item.trim();
    if let Some(bare) = class.strip_prefix(BARE) {
        return write(OptionKind::Text, bare, out);
    }
    let len = u8::try_from(class.len()).map_err(|_| EncodeError::of(OptionKind::UserClasses, class))?;
    out.push(len);
    write(OptionKind::Text, class, out)
}

pub(super) fn show_user_classes(octets: &[u8]) -> Option<String> {
    let classes: Vec<&str> = UserClasses::new(octets)
        .map(std::str::from_utf8)
        .collect::<Result<_, _>>()
        .ok()?;
    match classes.as_slice() {
        [one] if one.len() == octets.len() => Some(format!("{BARE}{one}")),
        several => Some(several.join(", ")),
    }
}

/// Two octets of length and a URI (RFC 8572, section 8.1).
pub(super) fn write_counted_uri(uri: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let len = u16::try_from(uri.len()).map_err(|_| EncodeError::of(OptionKind::Uri, uri))?;
    out.extend(len.to_be_bytes());
    write(OptionKind::Uri, uri, out)
}

pub(super) fn show_counted_uris(octets: &[u8]) -> Option<String> {
    let mut uris = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let (&len, behind) = rest.split_first_chunk::<2>()?;
        let (uri, next) = behind.split_at_checked(usize::from(u16::from_be_bytes(len)))?;
        uris.push(std::str::from_utf8(uri).ok()?);
        rest = next;
    }
    (!uris.is_empty()).then(|| uris.join(", "))
}

/// Flags, two octets of 0 (RFC 4702, section 2.2), and the name in labels when E is among the flags.
pub(super) fn write_fqdn(value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let fault = || EncodeError::of(OptionKind::Fqdn, value);
    let mut words = value.split_whitespace();
    let (flags, name) = match (words.next(), words.next(), words.next()) {
        (Some(flags), Some(name), None) => (flags, name),
        (Some(name), None, None) => ("SE", name),
        _ => return Err(fault()),
    };
    let mut octet = 0;
    for letter in flags.chars() {
        octet |= match letter.to_ascii_uppercase() {
            'S' => ClientFqdn::SERVER_UPDATES,
            'O' => ClientFqdn::OVERRIDE,
            'E' => ClientFqdn::ENCODED,
            'N' => ClientFqdn::NO_UPDATE,
            '-' => 0,
            _ => return Err(fault()),
        };
    }
    out.extend([octet, 0, 0]);
    if octet & ClientFqdn::ENCODED == 0 {
        return write(OptionKind::Text, name, out);
    }
    name::write_name(name, out).map_err(|fault| name_fault(name, fault))
}

pub(super) fn show_fqdn(octets: &[u8]) -> Option<String> {
    let &[flags, _, _, ref name @ ..] = octets else {
        return None;
    };
    let name = ClientFqdn { flags, name }.to_text()?;
    let letters = [(1, 'S'), (2, 'O'), (4, 'E'), (8, 'N')];
    let mut set: String = letters
        .iter()
        .filter(|row| flags & row.0 != 0)
        .map(|row| row.1)
        .collect();
    if set.is_empty() {
        set.push('-');
    }
    Some(format!("{set} {name}"))
}
